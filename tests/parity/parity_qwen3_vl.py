# SPDX-License-Identifier: Apache-2.0
"""Qwen3-VL checkpoints that transformers made, read by us: everything a model says about a request."""

import parity_models as models
import parity_reference as reference
from parity_reference import ADAMW, check_adamw, check_description, check_gradients, check_greedy

TEXT = "Compare the radiographs."
REPLY = "No pleural effusion. Heart size is mildly enlarged."
INLINE = "<|im_start|>user\nFINDINGS: {} The lungs are clear.\n\nnow {} 4.2 cm?<|im_end|>\n<|im_start|>assistant\n"


def requests(shape, files):
    """With no, one and two pictures; the two stand inside the text."""
    tok = models.load_tokenizer()
    return {0: reference.vision_request(tok, shape, [], "What does atelectasis mean? Na\u00efve \u80ba\u90e8.", REPLY, chat=True),
            1: reference.vision_request(tok, shape, files[1:2], TEXT, REPLY, chat=True),
            2: reference.vision_request(tok, shape, [files[0], files[2]], INLINE, REPLY, chat=False)}


def check_request(session, folder, model, request, what):
    ours = session.forward(folder, request.ours | {"gradients": True, "adamw": ADAMW}, "--dtype", "float32")
    check_description(session, ours, reference.describe(model, request), what)
    check_greedy(session, ours, *reference.greedy(model, request), what)
    check_gradients(session, ours, reference.gradient_norms(model, request), what)
    check_adamw(session, ours, *reference.adamw(model, request, **ADAMW), what)


def check_half_compute(session, folder, model, request, dtype, what):
    """Two implementations that round at every step differ by about as much as either does from float32."""
    rounded = models.cast_parameters(model, models.DTYPES[dtype])
    theirs, exact = reference.describe(rounded, request), reference.describe(model, request)
    ours = session.forward(folder, request.ours, "--dtype", "auto")
    for name, least in (("logits", 0.0), ("loss", 5e-3), ("next_token_logprobs", 0.0)):
        size = exact[name].norm().item()
        mine = (ours[name] - exact[name]).norm().item() / size
        limit = max(1.5 * (theirs[name] - exact[name]).norm().item() / size, least)
        session.record(f"{what}{dtype} {name.replace('_', ' ')}", mine, f"{limit:.2e} of the norm", mine <= limit,
                       "distance from float32, at most 1.5 times that of transformers")


def check_shape(session, name):
    shape = models.SHAPES[name]
    folder = session.work / "qwen3-vl" / name
    model = models.make_qwen3_vl(folder, name)
    session.run_tool("unirg-model", "verify", "--quiet", "-m", folder)
    for count, request in requests(shape, models.make_pictures(session.work / "pictures")).items():
        what = f"{count} images: " if count != 1 else "1 image: "
        check_request(session, folder, model, request, what)
        if shape.dtype == "bfloat16":
            check_half_compute(session, folder, model, request, shape.dtype, what)


def run(session):
    for name in models.SHAPES:
        session.run_case(f"qwen3-vl/{name}", lambda s, name=name: check_shape(s, name))

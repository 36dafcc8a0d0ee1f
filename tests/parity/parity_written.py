# SPDX-License-Identifier: Apache-2.0
"""The other direction: what our tools write, read by transformers."""

import json
import logging

import torch
import transformers
from safetensors.torch import load_file

import parity_decoders as decoders
import parity_models as models
import parity_reference as reference
from parity_qwen3_vl import REPLY, TEXT

CLOSE = 1e-4
TRAINING = ["--prompt", "short", "--epochs", "1", "--batch-size", "2", "--micro-batch", "2", "--warmup-steps", "0",
            "--learning-rate", "3e-3", "--threads", "1", "--device", "cpu"]


class Messages(logging.Handler):
    """What transformers and peft log while something is loaded."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


def load(folder, model_class=transformers.AutoModelForImageTextToText, **options):
    """The model of a folder, and what did not fit: names missing, unknown, of other shape."""
    messages = Messages()
    logger = logging.getLogger("transformers")
    logger.addHandler(messages)
    try:
        model, info = model_class.from_pretrained(folder, output_loading_info=True, **options)
    finally:
        logger.removeHandler(messages)
    problems = {key: sorted(map(str, value)) for key, value in info.items() if value}
    return model.eval(), problems


def studies(session):
    """A few synthetic studies, made once."""
    folder = session.work / "studies"
    if not folder.exists():
        session.run_tool("unirg-phantom", "--quiet", "--train", 8, "--validate", 2, "--test", 1, "--heldout", 1, "--side", 64,
                         "--output", session.work / "phantom")
        session.run_tool("unirg-ingest", "--quiet", "--reports", session.work / "phantom/reports.csv", "-o", folder,
                         session.work / "phantom")
    return folder / "studies.jsonl"


def base_checkpoint(session, name):
    """Folder of a random Qwen3-VL shape, written unless an earlier case did."""
    folder = session.work / "qwen3-vl" / name
    if not (folder / "config.json").exists():
        models.make_qwen3_vl(folder, name)
    return folder


def one_picture(session, shape):
    files = models.make_pictures(session.work / "pictures")
    request = reference.vision_request(models.load_tokenizer(), shape, files[:1], TEXT, REPLY, chat=True)
    request.ours.pop("greedy")
    return request


def same_logits(session, folder, model, request, what=""):
    """Python's logits of a folder against ours."""
    theirs = reference.describe(model.float(), request)
    ours = session.forward(folder, request.ours, "--dtype", "float32")
    session.within(f"{what}logits", ours["logits"], theirs["logits"], CLOSE)
    session.within(f"{what}loss", ours["loss"], theirs["loss"], 1e-5, 1e-5)
    return ours


def check_trained(session, name):
    """unirg-sft from a Python checkpoint; Python takes best/ back, under the base's tokenizer."""
    base = base_checkpoint(session, name)
    request = one_picture(session, models.SHAPES[name])
    out = session.work / "sft" / name
    session.run_tool("unirg-sft", "--quiet", "--studies", studies(session), "-m", base, "-o", out, *TRAINING)
    model, problems = load(out / "best")
    session.equal("tensors fit", problems, {}, f"{len(list(model.parameters()))} tensors")
    ours = same_logits(session, out / "best", model, request)
    before = session.forward(base, request.ours, "--dtype", "float32")
    moved = (ours["logits"] - before["logits"]).abs().max().item()
    session.record("training moved the logits", moved, "over 0.001", moved > 1e-3)
    session.equal("type in config.json", str(model.config.text_config.dtype), "torch.float32")
    tokenizer = transformers.AutoTokenizer.from_pretrained(out / "best")
    chat = tokenizer.apply_chat_template([{"role": "user", "content": "4.2 cm, \u80ba\u90e8"}], tokenize=False,
                                         add_generation_prompt=True)
    text = session.forward(out / "best", {"text": chat})["input_ids"].tolist()
    session.equal("chat through AutoTokenizer", tokenizer(chat)["input_ids"], text)


def check_converted(session, name, dtype, shard_bytes):
    """unirg-model convert: other type, other shards."""
    base = base_checkpoint(session, name)
    out = session.work / "convert" / f"{name}-{dtype}"
    session.run_tool("unirg-model", "convert", "--quiet", "-m", base, "-o", out, "--dtype", dtype, "--max-shard-size",
                     shard_bytes)
    sizes = [f.stat().st_size for f in out.glob("model*.safetensors")]
    session.record("shards", len(sizes), "more than one", len(sizes) > 1)
    model, problems = load(out)
    session.equal("tensors fit", problems, {})
    session.equal("type loaded", {str(p.dtype) for p in model.parameters()}, {f"torch.{dtype}"})
    source = models.make_qwen3_vl(session.work / "convert" / f"{name}-source", name)
    wanted = {n: w.to(models.DTYPES[dtype]) for n, w in source.named_parameters()}
    wrong = [n for n, w in model.named_parameters() if not torch.equal(w, wanted[n])]
    session.equal("values", wrong, [])
    same_logits(session, out, model, one_picture(session, models.SHAPES[name]))


def check_initial(session):
    """unirg-model init: a checkpoint that is ours from the start."""
    out = session.work / "init"
    sizes = {"vocab-size": 300, "hidden-size": 32, "intermediate-size": 48, "layers": 3, "attention-heads": 4,
             "key-value-heads": 2, "head-dim": 16, "mrope-section": "4,2,2", "max-positions": 512, "vision-depth": 3,
             "vision-hidden-size": 32, "vision-intermediate-size": 48, "vision-heads": 2, "position-embeddings": 16,
             "deepstack": "0,2", "min-pixels": 1024, "max-pixels": 4096, "init-std": 0.2, "image-std": 0.25}
    session.run_tool("unirg-model", "init", "--quiet", "--studies", studies(session), "-m", out, "--tie-word-embeddings",
                     *[f"--{key}={value}" for key, value in sizes.items()])
    model, problems = load(out)
    session.equal("tensors fit", problems, {})
    tok = models.Tokenizer.from_file(str(out / "tokenizer.json"))
    shape = models.Shape(pixels=(1024, 4096), std=(0.25,) * 3)
    files = models.make_pictures(session.work / "pictures")
    request = reference.vision_request(tok, shape, files[:1], TEXT, REPLY, chat=True)
    ours = same_logits(session, out, model, request)
    reference.check_greedy(session, ours, *reference.greedy(models.no_end_tokens(model), request))


def check_decoder(session, name):
    """A text-only decoder through convert."""
    base = session.work / "decoder-base" / name
    source = decoders.make_decoder(base, name)
    out = session.work / "convert" / name
    session.run_tool("unirg-model", "convert", "--quiet", "-m", base, "-o", out, "--dtype", "float32", "--max-shard-size", 50000)
    model, problems = load(out, transformers.AutoModelForCausalLM)
    session.equal("tensors fit", problems, {})
    theirs = dict(source.named_parameters())
    session.equal("values", [n for n, w in model.named_parameters() if not torch.equal(w.float(), theirs[n])], [])
    session.equal("config.json but for the type", *(without_type(json.loads((f / "config.json").read_text()))
                                                    for f in (out, base)))


def without_type(config):
    return {key: value for key, value in config.items() if key not in ("dtype", "torch_dtype")}


def check_moments(session):
    """training_state/ is safetensors too, and has two moments for every tensor."""
    name = "plain"
    out = session.work / "sft" / name
    if not out.exists():
        session.run_tool("unirg-sft", "--quiet", "--studies", studies(session), "-m", base_checkpoint(session, name), "-o", out,
                         *TRAINING)
    moments = load_file(out / "last/training_state/moments.safetensors")
    names = set(load_file(out / "last/model.safetensors"))
    session.equal("names of moments", set(moments), {f"{k}.{n}" for k in ("first", "second") for n in names})


def run(session):
    for name in models.SHAPES:
        session.run_case(f"written/sft-{name}", lambda s, name=name: check_trained(s, name))
    session.run_case("written/moments", check_moments)
    for name, dtype, size in (("plain", "bfloat16", 100000), ("deep-vision-short-names", "bfloat16", 100000),
                              ("gqa4-bf16-shards", "float32", 300000), ("f16-biased-patch-14", "bfloat16", 150000)):
        session.run_case(f"written/convert-{name}-{dtype}",
                         lambda s, n=name, d=dtype, b=size: check_converted(s, n, d, b))
    session.run_case("written/init", check_initial)
    for name in ("llama3-rope-4.57-tied", "llama-biases", "qwen2", "qwen3", "mistral"):
        session.run_case(f"written/convert-{name}", lambda s, name=name: check_decoder(s, name))

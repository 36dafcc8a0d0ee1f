#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares our tokenizers with the `tokenizers` library (and sentencepiece), id by id.

    python3 -m venv VENV && VENV/bin/pip install tokenizers sentencepiece
    VENV/bin/python tests/parity/check_tokenizers.py --binary build/release/tests/parity/tokenizers/tokenize_lines

Texts: the 3,365 Open-i reports of ../shared/data/iu-xray (not ours to copy), hard strings, and random
mixtures of characters. Tokenizers: the real Qwen2 and BERT vocabularies of ../shared/data/tokenizers, and others
trained here on the reports. For each: ids with and without special tokens, ids and word numbers of texts given as
words, decoding, streamed decoding. Prints one line a tokenizer; exits 1 on any difference, 77 without the data.
Characters that Unicode took in after version 14 are left out: the C++ side's PCRE2 does not know them.
"""
import argparse
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import time
import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

ROOT = Path(__file__).resolve().parents[2]
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
LLAMA3 = QWEN2.replace(r"\p{N}|", r"\p{N}{1,3}|", 1)
HARD = [
    "plain text", "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab", "e\u0301\u0323 \u00e9 \u1ec7 \u0065\u0302\u0323",
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd \u202babc\u202c \u200f\u200e", "\u0000nul\u0001\u001f\u007f\u0080\u009f",
    "a\r\nb\rc\n\r\n\n d\u2028e\u2029f\u0085g", "x" * 5000, " " * 3000, "\n" * 500, "ab " * 1000, "-" * 300,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f1fa\U0001f1f8 \U0001f44d\U0001f3fe \u2764\ufe0f",
    "<|im_start|>user<|im_end|>x<|im_end|>\n<|im_start|> <|im_en", "wo<mask>rd <mask>   <mask>", "[MASK]x[MASK] [mask]",
    "single word wordx xword word. (word)", "\ufffd broken \ufffd\ufffd", "\u17b4\u1885\u1734 \u166d \u111c9",
    "don't DON'T we'Ve \u017f'\u017f 'S", "\u0130\u0049\u0131 \u1e9e \u03a3\u03c3\u03c2 \u01c5", "\u2581already \u2581 marked\u2581",
    "\ufb01\u0301 \ufb03 \u2075 \u00bd \u3392 \u337f", "\u3000ideographic\u3000space\u1680ogham\u180emongol\u205f",
    "1,234.5 12345 T12-L1 \u0661\u0662 \u2167 \u00b2", "<0x41> <0xZZ> <unk> <s> </s> <pad> [CLS] [SEP] [UNK]", "tab\tin \t out\t",
    "\u0e01\u0e33 \u0e33 \u0ec9\u0eb3", "\u0915\u094d\u0937\u093f \u0ba8\u0bbf", "e\u0300\u0301\u0302\u0303\u0304 stacked",
]


def reports(archive):
    texts = []
    with tarfile.open(archive) as tar:
        for member in tar:
            if not member.isfile():
                continue
            root = ElementTree.parse(io.BytesIO(tar.extractfile(member).read())).getroot()
            parts = [f"{e.get('Label')}: {e.text}" for e in root.iter("AbstractText") if e.text]
            texts.append("\n\n".join(parts))
    return texts


def random_texts(count, seed=20260117):
    rng = random.Random(seed)
    assigned = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Cs", "Co")]
    common = " \n\t\r.,'-" + "abcXYZ019" + "\u00e9\u0301\u2581\u00a0\u200d\u4e00\uac00"
    texts = []
    for _ in range(count):
        length = rng.randrange(1, 40)
        texts.append("".join(rng.choice(assigned) if rng.random() < 0.4 else rng.choice(common) for _ in range(length)))
    return texts


def hard_strings():
    golden = json.loads((ROOT / "tests/parity/golden/bpe/golden.json").read_text())
    return HARD + [case["text"] for case in golden["cases"]] + random_texts(3000)


# Builders: each gives a `tokenizers` Tokenizer.
def build_qwen2(folder, _texts):
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    tok = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tok.normalizer = normalizers.NFC()
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(QWEN2), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    tok.add_special_tokens([AddedToken(t, normalized=False) for t in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
    tok.add_tokens([AddedToken("<think>", normalized=False)])
    return tok


def build_roberta(_folder, texts):
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=16000, show_progress=False, special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    tok.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    tok.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tok


def build_llama3(_folder, texts):
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    tok = Tokenizer(models.BPE(ignore_merges=True))
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=12000, show_progress=False, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    tok.add_special_tokens([AddedToken("<|begin_of_text|>", normalized=False)])
    begin = tok.token_to_id("<|begin_of_text|>")
    tok.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                                      special_tokens=[("<|begin_of_text|>", begin)])])
    return tok


def build_llama2(_folder, texts, metaspace=False):
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Metaspace()
    tok.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=8000, show_progress=False))
    data = json.loads(tok.to_str())
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    names += [t for t, _ in sorted(data["model"]["vocab"].items(), key=lambda kv: kv[1]) if t not in names]
    data["model"].update(vocab={t: i for i, t in enumerate(names)}, byte_fallback=True, fuse_unk=True, unk_token="<unk>")
    data["pre_tokenizer"] = None
    tok = Tokenizer.from_str(json.dumps(data))
    if metaspace:
        tok.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        tok.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tok.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                     decoders.Strip(" ", 1, 0)])
    tok.add_special_tokens([AddedToken(t, normalized=False) for t in ("<unk>", "<s>", "</s>")])
    tok.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1",
                                                       special_tokens=[("<s>", 1)])
    return tok


def build_wordpiece(_folder, texts):
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer(lowercase=False)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.decoder = decoders.WordPiece()
    tok.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=8000, show_progress=False, special_tokens=specials))
    tok.add_tokens([AddedToken("word", single_word=True, normalized=True)])
    tok.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tok


def build_real_bert(folder, _texts):
    from tokenizers import Tokenizer
    tok = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tok.no_truncation()
    tok.no_padding()
    return tok


def train_sentencepiece(texts, **more):
    import sentencepiece
    blob = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=blob, vocab_size=8000, character_coverage=0.9995, num_threads=1,
        minloglevel=2, hard_vocab_limit=False, max_sentence_length=20000, pad_id=0, bos_id=1, eos_id=2, unk_id=3,
        pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]", **more)
    return sentencepiece.SentencePieceProcessor(model_proto=blob.getvalue()), blob.getvalue()


def charsmap_of(blob):
    """Field 2 of field 3 of the model file."""
    def fields(data):
        at = 0
        def varint():
            nonlocal at
            value = shift = 0
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return value
        while at < len(data):
            key = varint()
            if key & 7 == 2:
                size = varint()
                yield key >> 3, data[at:at + size]
                at += size
            elif key & 7 == 0:
                yield key >> 3, varint()
            else:
                at += 4 if key & 7 == 5 else 8
    spec = next(v for k, v in fields(blob) if k == 3)
    return next(v for k, v in fields(spec) if k == 2)


def build_unigram(_folder, texts, xlmr=False):
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    processor, blob = train_sentencepiece(texts, byte_fallback=xlmr)
    vocab = [(processor.id_to_piece(i), processor.get_score(i)) for i in range(processor.get_piece_size())]
    tok = Tokenizer(models.Unigram(vocab, unk_id=3, byte_fallback=xlmr))
    charsmap = normalizers.Precompiled(charsmap_of(blob))
    if xlmr:
        tok.normalizer = normalizers.Sequence([charsmap, normalizers.Replace(Regex(" {2,}"), " ")])
        tok.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    else:
        tok.normalizer = normalizers.Sequence([normalizers.Strip(), charsmap, normalizers.Replace(Regex(" {2,}"), " ")])
        tok.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace()])
    tok.decoder = decoders.Metaspace()
    tok.add_special_tokens([AddedToken(t, normalized=False) for t in ("[PAD]", "[CLS]", "[SEP]", "[UNK]")])
    tok.add_special_tokens([AddedToken("[MASK]", normalized=False)])
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    return tok


def run_ours(binary, tokenizer, lines, *flags):
    out = subprocess.run([binary, tokenizer, *flags], input="\n".join(map(json.dumps, lines)) + "\n", text=True,
                         encoding="utf-8", stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.split("\n") if line]


def compare(name, tok, ours, texts, special):
    """Differences of one tokenizer on whole texts."""
    bad = 0
    for text, mine in zip(texts, ours):
        ids = tok.encode(text, add_special_tokens=special).ids
        expected = {"ids": ids, "decoded": tok.decode(ids, skip_special_tokens=False),
                    "decoded_skip_special": tok.decode(ids, skip_special_tokens=True)}
        expected["streamed"] = expected["decoded_skip_special"]
        wrong = [key for key, value in expected.items() if mine[key] != value]
        if wrong:
            bad += 1
            if bad <= 3:
                print(f"{name}: {wrong} differ for {text[:80]!r}: {mine[wrong[0]]!r:.200} not {expected[wrong[0]]!r:.200}",
                      file=sys.stderr)
    return bad


def compare_words(name, tok, ours, lists):
    bad = 0
    for words, mine in zip(lists, ours):
        encoding = tok.encode(words, is_pretokenized=True)
        numbers = [-1 if w is None else w for w in encoding.word_ids]
        if mine["ids"] != encoding.ids or mine["words"] != numbers:
            bad += 1
            if bad <= 3:
                print(f"{name}: words differ for {words[:8]!r}", file=sys.stderr)
    return bad


def speed_ratio(binary, file, tok, texts):
    """Ids per second, ours over the library's, both on one core."""
    lines = "\n".join(json.dumps({"text": t}) for t in texts) + "\n"
    text = subprocess.run([binary, file, "--time", "3"], input=lines, text=True, encoding="utf-8", stderr=subprocess.PIPE,
                          check=True).stderr
    ours = float(text.split()[0])
    start = time.perf_counter()
    count = sum(len(e.ids) for _ in range(3) for e in tok.encode_batch_fast(texts, add_special_tokens=False))
    return ours, count / (time.perf_counter() - start)


def check(name, tok, binary, work, hard, corpus):
    file = str(work / f"{name}.json")
    tok.save(file)
    texts = corpus + hard
    lines = [{"text": t} for t in texts]
    lists = [t.split() for t in corpus[:500] + hard[:300]]
    bad = compare(name, tok, run_ours(binary, file, lines), texts, False)
    bad += compare(name, tok, run_ours(binary, file, lines, "--special"), texts, True)
    bad += compare_words(name, tok, run_ours(binary, file, [{"words": w} for w in lists], "--special"), lists)
    ours, theirs = speed_ratio(binary, file, tok, corpus)
    print(f"{name}: vocabulary {tok.get_vocab_size()}, {len(corpus)} reports and {len(hard)} hard strings, {len(lists)} word "
          f"lists: {bad} differences; {ours / 1e6:.2f} M ids/s, {ours / theirs:.1f} times the library's", flush=True)
    return bad


def check_older_set(name, folder, tok, binary, texts):
    ours = run_ours(binary, str(folder), [{"text": t} for t in texts], "--special")
    bad = sum(mine["ids"] != tok.encode(text).ids for text, mine in zip(texts, ours))
    print(f"{name}: {len(texts)} texts: {bad} differences", flush=True)
    return bad


def check_sentencepiece(binary, work, hard, corpus, **more):
    processor, blob = train_sentencepiece(corpus, **more)
    file = work / "spm.model"
    file.write_bytes(blob)
    bad = 0
    texts = corpus + [t for t in hard if "\0" not in t]
    for text, mine in zip(texts, run_ours(binary, str(file), [{"text": t} for t in texts])):
        ids = processor.encode(text)
        if mine["ids"] != ids or mine["decoded"] != processor.decode(ids):
            bad += 1
            if bad <= 3:
                print(f"sentencepiece: differs for {text[:80]!r}: {mine!r:.300} not {ids} {processor.decode(ids)!r:.100}",
                      file=sys.stderr)
    print(f"spm.model {more}: {len(texts)} texts: {bad} differences", flush=True)
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=str(ROOT / "build/release/tests/parity/tokenizers/tokenize_lines"))
    parser.add_argument("--only", default="", help="names of tokenizers that begin so")
    args = parser.parse_args()
    shared = ROOT / "../shared/data"
    if not (shared / "iu-xray/iu_xray_reports.tgz").exists():
        print("needs ../shared/data beside the project", file=sys.stderr)
        return 77
    corpus, hard, bad = reports(shared / "iu-xray/iu_xray_reports.tgz"), hard_strings(), 0
    vocabularies = shared / "tokenizers"
    builders = {
        "qwen2": lambda: build_qwen2(vocabularies / "qwen", corpus),
        "roberta": lambda: build_roberta(None, corpus),
        "bert-uncased": lambda: build_real_bert(vocabularies / "bert-uncased-minilm", corpus),
        "wordpiece-cased": lambda: build_wordpiece(None, corpus),
        "unigram-deberta": lambda: build_unigram(None, corpus),
        "unigram-xlmr-bytes": lambda: build_unigram(None, corpus, xlmr=True),
        "llama2": lambda: build_llama2(None, corpus),
        "llama2-metaspace": lambda: build_llama2(None, corpus, metaspace=True),
        "llama3": lambda: build_llama3(None, corpus),
    }
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for kind, build in builders.items():
            if kind.startswith(args.only):
                bad += check(kind, build(), args.binary, work, hard, corpus)
        if "older".startswith(args.only):
            bert = vocabularies / "bert-uncased-minilm"
            bad += check_older_set("vocab.txt", bert / "vocab.txt", build_real_bert(bert, corpus), args.binary, corpus + hard)
        if "sentencepiece".startswith(args.only):
            bad += check_sentencepiece(args.binary, work, hard, corpus)
            bad += check_sentencepiece(args.binary, work, hard, corpus, byte_fallback=True)
            bad += check_sentencepiece(args.binary, work, hard, corpus, byte_fallback=True, model_type="bpe")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

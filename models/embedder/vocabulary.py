"""A vocabulary for code: lower-case words, identifiers split into their parts.

Everything is said in ``tokenizer.json`` itself, so that the model loads in plain
sentence-transformers: the normalizer puts a space where ``camelCase`` humps and
folds case, the pre-tokenizer keeps words and numbers and drops the rest, and
WordPiece spells words it does not know.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

UNKNOWN = "[UNK]"
HUMPS = r"(?<=[\p{Ll}\d])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})"
WORDS = r"\p{L}+|\d{1,4}"
MIN_SOURCES = 3
"""A word enters the vocabulary only if so many sources use it."""
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
LATIN = re.compile(r"[a-z]+|\d+")
MAX_LETTERS = 24


def tokenizer() -> Tokenizer:
    """Return a tokenizer without a vocabulary."""
    empty = Tokenizer(
        models.WordPiece({UNKNOWN: 0}, unk_token=UNKNOWN, max_input_chars_per_word=40)
    )
    empty.normalizer = normalizers.Sequence(
        [
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Replace(Regex(HUMPS), " "),
            normalizers.Lowercase(),
        ]
    )
    empty.pre_tokenizer = pre_tokenizers.Split(Regex(WORDS), "removed", invert=True)
    return empty


def count_words(texts: Mapping[str, Iterable[str]]) -> Counter[str]:
    """Return how often each word is used that several of the sources use."""
    blank = tokenizer()
    counts: Counter[str] = Counter()
    sources: dict[str, int] = defaultdict(int)
    for some in texts.values():
        own: Counter[str] = Counter()
        for text in some:
            normal = blank.normalizer.normalize_str(text)
            own.update(word for word, _ in blank.pre_tokenizer.pre_tokenize_str(normal))
        for word, count in own.items():
            sources[word] += 1
            counts[word] += min(count, 400)
    good = (word for word in counts if sources[word] >= MIN_SOURCES and LATIN.fullmatch(word))
    return Counter({word: counts[word] for word in good if len(word) <= MAX_LETTERS})


def build(counts: Counter[str], size: int, pieces: int) -> Tokenizer:
    """Return a tokenizer of `size` tokens, of which at least `pieces` spell unknown words.

    Frequent words are whole; pieces are learned from all words, so that a rare
    word shares its stem with the words it is made from.
    """
    trained = tokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=pieces,
        show_progress=False,
        special_tokens=[UNKNOWN],
        initial_alphabet=list(ALPHABET),
        limit_alphabet=len(ALPHABET),
        continuing_subword_prefix="##",
    )
    trained.train_from_iterator(_repeated(counts), trainer)
    vocabulary = dict.fromkeys(trained.get_vocab(with_added_tokens=True))
    tokens = [UNKNOWN, *sorted(set(vocabulary) - {UNKNOWN})]
    known = set(tokens)
    for word, _ in counts.most_common():
        if len(tokens) >= size:
            break
        if word not in known:
            tokens.append(word)
    full = tokenizer()
    full.model = models.WordPiece(
        {token: number for number, token in enumerate(tokens)},
        unk_token=UNKNOWN,
        max_input_chars_per_word=40,
    )
    return full


def _repeated(counts: Counter[str]) -> Iterable[str]:
    for word, count in counts.items():
        yield " ".join([word] * min(1 + count // 20, 50))

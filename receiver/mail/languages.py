"""In which language a mail is written: the first that was wished for in which all of it can be said. Pure."""

from collections.abc import Collection, Iterable, Iterator

# As a compliance officer reads them; of others the code is shown.
NAMES = {
    "ar": "Arabic",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
}


def wished(*languages: str | None) -> tuple[str, ...]:
    """In the order of preference, each once; English is what we always have."""
    return tuple(dict.fromkeys(language for language in (*languages, "en") if language))


def best(language: str, available: Collection[str]) -> str | None:
    """The language itself, or the one that it is a kind of: for `de-at` also `de`, but never `en`."""
    return next((kind for kind in _from_special_to_general(language) if kind in available), None)


def _from_special_to_general(language: str) -> Iterator[str]:
    while language:
        yield language
        language = language.rpartition("-")[0]


def first_in_all(wishes: Iterable[str], *available: Collection[str]) -> tuple[str, ...] | None:
    """Of the first wish that all can fulfil, what each has for it: a mail never mixes languages."""
    for wish in wishes:
        found = tuple(kind for kinds in available if (kind := best(wish, kinds)) is not None)
        if len(found) == len(available):
            return found
    return None


def name_of(language: str) -> str:
    return NAMES.get(language.partition("-")[0], f"“{language}”")

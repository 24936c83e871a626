"""Invented names: ordinary ones in several scripts, and strings that break careless programs.

Every name is made up from lists of common given and family names; none belongs to a real person.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

__all__ = ["FAMILY", "GIVEN", "HOSTILE", "WORLD", "Name"]


class Name(NamedTuple):
    """A person's name, and its ASCII form for e-mail addresses."""

    first: str
    last: str
    slug: str


def _ascii(text: str) -> str:
    plain = unicodedata.normalize(
        "NFKD", text.replace("ß", "ss").replace("ø", "o").replace("ł", "l").replace("Ł", "L")
    )
    return "".join(c for c in plain if c.isascii() and (c.isalnum() or c == "-")).lower()


def _with_slugs(words: str) -> tuple[tuple[str, str], ...]:
    return tuple((word, _ascii(word)) for word in words.split())


GIVEN = _with_slugs(
    "Ada Alma Amir Anna Ansel Arun Beate Bruno Carla Celia Chen Clara Dalia Damir Dora Edda Elif Emil Enzo Esra "
    "Fabio Femi Finn Frida Gita Greta Hana Henrik Ida Imani Inés Ivo Jana Joris José Juna Kaia Karim Kofi Lars "
    "Leila Lena Levi Lina Luca Maïa Malik Mara Mei Milo Nadia Nils Noor Nora Okan Olga Omar Petra Priya Rafael "
    "Rania René Rosa Ruben Sana Selma Signe Søren Tariq Tessa Theo Tilda Uma Vera Viktor Wanda Yara Yusuf Zoë"
)
FAMILY = _with_slugs(
    "Abel Acker Adeyemi Alder Amsel Arden Balder Banerji Barro Berg Birk Blom Bongo Brandt Caldera Campo "
    "Castell Cerny Dahl Demir Dietz Dorn Duarte Ebner Eklund Engel Falk Farkas Ferro Fjord Franco Gamba Garnet "
    "Geyer Gökay Grün Haas Hakim Halm Heron Horák Ibsen Iyer Jansen Jensen Kamau Kaya Keller Kimura Klee "
    "Kovács Krüger Laine Lamb Lemos Linde Lund Maier Mbeki Mendes Meyer Moreau Müller Nagy Nakao Nowak Núñez "
    "Oduya Okoro Olsen Ortega Özdem Palma Peeters Petrov Quist Rask Reyes Ritter Rossi Sato Schäfer Silva "
    "Sørli Stein Suzuki Tamm Tanaka Thorn Toth Ueda Urban Vance Varga Velde Vogel Weiss Wolny Yilmaz Ziegler "
    "Żuk"
)

WORLD = (
    Name("Ελένη", "Παπαδάκη", "eleni.papadaki"),
    Name("Νίκος", "Οικονόμου", "nikos.oikonomou"),
    Name("Ольга", "Соколова", "olga.sokolova"),
    Name("Дмитро", "Коваль", "dmytro.koval"),
    Name("美咲", "山田", "misaki.yamada"),
    Name("伟", "陈", "wei.chen"),
    Name("지우", "김", "jiwoo.kim"),
    Name("Zdeňka", "Šťastná", "zdenka.stastna"),
    Name("Łukasz", "Żółkiewski", "lukasz.zolkiewski"),
    Name("Þórunn", "Ásgeirsdóttir", "thorunn.asgeirsdottir"),
    Name("אילנה", "לוי", "ilana.levi"),
    Name("ليلى", "حداد", "layla.haddad"),
    Name("आरती", "शर्मा", "arti.sharma"),
    Name("Nguyễn", "Thị Hương", "nguyen.thihuong"),
)

HOSTILE = (
    Name('=HYPERLINK("http://127.0.0.1/","x")', "Formula", "hostile.formula"),
    Name("@SUM(1+1)", "-2+3", "hostile.calculation"),
    Name("<script>alert(1)</script>", "Markup", "hostile.script"),
    Name('<img src="file:///etc/passwd">', "Image", "hostile.image"),
    Name("\u202etxt.exe\u202c", "\u05e9\u05d9\u05e8\u05d4 Bidi", "hostile.bidi"),
    Name(("Maximiliana-" * 25)[:300], "Long", "hostile.longfirst"),
    Name("Long", ("Wolkenstein" * 28)[:300], "hostile.longlast"),
    Name('Quote "the, comma"; semicolon', "O'Tick", "hostile.quotes"),
    Name("Two\nLines", "Carriage\r\nReturn", "hostile.newlines"),
    Name("{{ 7 * 7 }} ${x} %s", "'; drop table users; --", "hostile.template"),
)
"""Names that every report must show as plain text and that no interpreter may run."""

"""The seeded catalogue: the same everywhere, and what can be found in it."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.catalogue import OPENED, PAGE_SIZE, YEAR, Catalogue
from backend.pictures import Pictures, draw
from backend.wares import WARES

SOME = Catalogue(1, 200)
DIGEST = """
import hashlib
from backend.catalogue import Catalogue
from backend.pictures import draw
some = Catalogue(7, 100)
print(hashlib.sha256(repr([(p, draw(7, p)) for p in some.products]).encode()).hexdigest())
"""


def test_processes_agree_whatever_their_hash_seed():
    printed = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_another_seed_is_another_catalogue():
    assert Catalogue(2, 200).products != SOME.products


def test_more_products_leave_the_others_as_they_were():
    assert Catalogue(1, 5_000).products[:200] == SOME.products


def test_products_are_told_apart_by_number_and_name():
    many = Catalogue(1, 5_000).products
    assert len({product.sku for product in many}) == 5_000
    assert len({product.name for product in many}) == 5_000


@given(seed=st.integers(-(2**40), 2**40), size=st.integers(1, 60))
@settings(max_examples=30)
def test_every_product_makes_sense(seed, size):
    for product in Catalogue(seed, size).products:
        assert product.ware.low <= product.price < product.ware.high
        assert product.stock >= 0
        assert OPENED <= product.updated < OPENED + YEAR
        assert ET.fromstring(draw(seed, product)).tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize("size", [1, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 3 * PAGE_SIZE])
def test_pages_hold_every_product_once(size):
    some = Catalogue(1, size)
    first = some.page(1)
    pages = [some.page(number) for number in range(1, first.pages + 1)]
    assert [product for page in pages for product in page.products] == list(some.products)
    assert all(page.products for page in pages)
    assert some.page(0) is None
    assert some.page(first.pages + 1) is None


def test_a_category_has_only_its_own():
    page = SOME.page(1, "prisms")
    assert {product.ware.slug for product in page.products} == {"prisms"}
    assert page.total == len(SOME.shelf("prisms")) == 25
    assert sum(len(SOME.shelf(ware.slug)) for ware in WARES) == 200
    assert SOME.page(1, "cheese") is None


def test_a_page_is_as_new_as_its_newest_product():
    page = SOME.page(2)
    assert page.updated == max(product.updated for product in page.products)
    assert SOME.search("nothing like it", 1).updated == OPENED


@given(st.sampled_from(SOME.products), st.data())
@settings(max_examples=60)
def test_a_product_is_found_by_the_beginnings_of_its_words(product, data):
    words = data.draw(st.lists(st.sampled_from(product.name.split()), min_size=1, max_size=3))
    query = " ".join(word[: data.draw(st.integers(1, len(word)))].upper() for word in words)
    pages = SOME.search(query, 1).pages
    assert any(product in SOME.search(query, number).products for number in range(1, pages + 1))


def test_names_come_before_descriptions():
    found = SOME.search("glass", 1).products
    named = ["Glass" in product.name for product in found]
    assert named == sorted(named, reverse=True)
    assert True in named
    assert False in named


@pytest.mark.parametrize("query", ["", "   ", "!?", "zzz", "amber zzz"])
def test_what_finds_nothing_is_an_empty_page(query):
    page = SOME.search(query, 1)
    assert (page.products, page.pages, page.total) == ((), 1, 0)


def test_a_pictures_url_names_its_content():
    pictures, others = Pictures(SOME), Pictures(Catalogue(2, 200))
    product = SOME.products[0]
    url = pictures.url(product)
    assert pictures.find(url) == (product, draw(1, product))
    assert others.find(url) is None
    assert pictures.find("/pictures/P0001.svg") is None
    assert pictures.find("/pictures/") is None

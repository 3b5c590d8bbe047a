"""The HTML face: a whole shopping trip by links and forms alone, in each style."""

from __future__ import annotations


async def test_a_shopping_trip_without_scripts(shop, browser):
    await browser.open("/")
    await browser.follow("Lanterns")
    assert browser.sees("25 products, page 1 of 2")
    await browser.follow("Later →")
    await browser.open("/products/P0003")
    await browser.submit("Add to cart", quantity="2")
    assert browser.status == 200
    assert browser.sees("Your cart")
    cart = browser.location
    await browser.open("/products/P0004")
    await browser.submit("Add to cart")
    assert browser.location == cart, "both are in the same cart"

    await browser.submit("Change", quantity="3")
    assert next(form for form in browser.page.forms if form.button == "Change").fields["quantity"] == "3"
    await browser.submit("Remove")
    assert sum(form.button == "Change" for form in browser.page.forms) == 1

    browser.credentials = ("ann", "apple")
    if shop.style != "resources":
        await browser.follow("Your account")
        await browser.follow("Log in")
        await browser.submit("Log in", name="ann", password="apple")
        assert browser.sees("Ann's account")
    await browser.follow("Your cart")
    assert browser.location == cart
    await browser.submit("Place the order", reference="for grandmother")
    assert browser.status == 200
    assert browser.sees("Thank you for your order")
    assert browser.sees("Your reference: for grandmother")
    await browser.follow("Your orders")
    assert browser.sees("for grandmother1 piece")
    await browser.follow("Your cart")
    assert browser.sees("It is empty")


async def test_search_by_form_shows_what_was_asked_for_and_escapes_it(browser):
    await browser.open("/")
    await browser.submit("Search", q="<script>alert(1)</script>")
    assert browser.sees(r"Search: <script>alert\(1\)</script>")
    assert browser.sees("Fewer words find more")


async def test_there_is_no_cart_to_begin_with(browser):
    await browser.open("/")
    await browser.follow("Your cart")
    assert browser.status == 200
    assert browser.sees("It is empty|You have no cart yet")


async def test_problems_are_pages_too(browser):
    await browser.open("/products/P9999")
    assert browser.status == 404
    assert browser.sees("There is no such product")
    assert "Catalogue" in browser.page.links


async def test_a_form_that_asks_for_too_much_says_what_is_wrong(browser):
    await browser.open("/products/P0003")
    await browser.submit("Add to cart", quantity="-2")
    assert browser.status == 422
    assert browser.sees("quantity")


async def test_every_problem_type_is_explained_at_its_url(shop, browser):
    missing = await shop.get("/products/P9999")
    path, _, name = missing.document["type"].partition("#")
    answer = await shop.get(path, Accept="text/html")
    assert f'id="{name}"' in answer.body.decode()
    await browser.open(path)
    assert browser.sees("What can go wrong")


async def test_pages_allow_nothing_but_their_own_stylesheet_pictures_and_forms(shop):
    page = await shop.get("/", Accept="text/html")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert b"style=" not in page.body

"""A web browser as far as the login needs one: cookies, redirects one at a time, and forms."""

import html.parser
import urllib.parse

import aiohttp
import yarl


class Forms(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.forms = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.forms.append({"action": attrs.get("action", ""),
                               "method": attrs.get("method", "get").lower(), "fields": {},
                               "buttons": []})
        elif self.forms and tag in ("input", "button"):
            form = self.forms[-1]
            if tag == "button" or attrs.get("type") == "submit":
                form["buttons"].append((attrs.get("name"), attrs.get("value") or ""))
            elif attrs.get("name"):
                form["fields"][attrs["name"]] = attrs.get("value") or ""


class Page:
    def __init__(self, url, status, headers, text):
        self.url = url
        self.status = status
        self.headers = headers
        self.text = text

    def forms(self):
        return Forms(self.text).forms

    def location(self):
        target = self.headers.get("Location")
        return target and urllib.parse.urljoin(self.url, target)

    def __repr__(self):
        return f"{self.status} {urllib.parse.urlsplit(self.url).path}: {self.text[:300]!r}"


class Browser:
    def __init__(self):
        # the servers of a test have no names, only addresses
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def close(self):
        await self.session.close()

    async def request(self, method, url, data=None):
        # exactly as given: a test may want an address that no browser would make up
        target = yarl.URL(url, encoded=True)
        async with self.session.request(method, target, data=data, allow_redirects=False) as answer:
            return Page(url, answer.status, answer.headers, await answer.text())

    async def get(self, url):
        return await self.request("GET", url)

    async def follow(self, page, stop=None):
        """Goes on while redirected, up to but not into the path `stop`."""
        for _ in range(10):
            target = page.location()
            if not target or (stop and urllib.parse.urlsplit(target).path == stop):
                return page
            page = await self.get(target)
        raise AssertionError("redirected for ever")

    async def submit(self, page, button=None):
        """Presses the only button of the page's form, or the named one."""
        assert len(page.forms()) == 1, page
        form = page.forms()[0]
        buttons = [pair for pair in form["buttons"] if button in (None, pair[0])]
        assert len(buttons) == 1, f"not one button to press: {page}"
        fields = dict(form["fields"])
        if buttons[0][0]:
            fields[buttons[0][0]] = buttons[0][1]
        assert form["method"] == "post", form
        return await self.request("POST", urllib.parse.urljoin(page.url, form["action"] or page.url),
                                  data=fields)

    async def sign_in(self, gitter_url, name):
        page = await self.get(f"{gitter_url}/login?as={urllib.parse.quote(name)}")
        assert page.status == 302, page

    async def authorize(self, link, gitter_url, name, allow=True):
        """From the login link up to the redirect to /callback, which it returns unfollowed."""
        await self.sign_in(gitter_url, name)
        page = await self.get(link)
        assert page.status == 200, page
        page = await self.follow(await self.submit(page), stop="/callback")
        if page.status == 200:
            page = await self.submit(page, "allow" if allow else "cancel")
            page = await self.follow(page, stop="/callback")
        assert page.location(), page
        return page.location()

    async def login(self, link, gitter_url, name, allow=True):
        """The whole way; the last page."""
        return await self.follow(await self.get(await self.authorize(link, gitter_url, name, allow)))

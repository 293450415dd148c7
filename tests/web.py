#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The web room end to end: pages, forms, what programs fetch, what the webmail asks.

    tests/web.py

Speaks SCGI with the sockets of a server that ./run started, as nginx and the webmail do. The
program is build/tecsmail, or what TECSMAIL names.
"""
import hashlib
import html.parser
import json
import os
import pathlib
import plistlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree as xml

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "clients"))
from harness import Failed, Server, equal, too_long, wait_until  # noqa: E402

PAGES = ["/", "/access", "/password", "/lockout", "/transport", "/setup", "/service", "/join"]
VOID = {"meta", "link", "input", "br", "path", "rect", "img", "hr"}


def must(condition, what):
    if not condition:
        raise Failed(what)


class Reply:
    def __init__(self, octets):
        head, _, self.body = octets.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n") if line]
        self.headers = [(name.lower(), value) for name, value in lines]
        self.status = int(self.header("status").split()[0]) if lines else 0
        self.text = self.body.decode(errors="replace")

    def header(self, name):
        return "; ".join(value for key, value in self.headers if key == name)

    def cookies(self):
        return dict(value.split(";")[0].split("=", 1) for key, value in self.headers if key == "set-cookie")


def raw(server, octets, which="web"):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(70)
        s.connect(str(server.state / "internal" / which))
        s.sendall(octets)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
        return answer


def netstring(variables):
    head = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in variables)
    return str(len(head)).encode() + b":" + head + b","


def ask(server, method, uri, body=None, address="127.9.0.1", which="web", **more):
    """more: further variables; a dictionary as a body is sent as a form."""
    if isinstance(body, dict):
        body = urllib.parse.urlencode(body).encode()
        more.setdefault("CONTENT_TYPE", "application/x-www-form-urlencoded")
    body = body or b""
    variables = [("CONTENT_LENGTH", str(len(body))), ("SCGI", "1"), ("REQUEST_METHOD", method),
                 ("REQUEST_URI", uri), ("REMOTE_ADDR", address), *more.items()]
    reply = Reply(raw(server, netstring(variables) + body, which))
    if which == "web":
        safe(reply, uri)
    return reply


def get(server, uri, **more):
    return ask(server, "GET", uri, **more)


def safe(reply, uri):
    policy = reply.header("content-security-policy")
    must("default-src 'none'" in policy and "unsafe" not in policy, f"{uri}: policy {policy}")
    must(reply.header("referrer-policy") == "no-referrer", f"{uri}: no referrer policy")
    must(reply.header("x-content-type-options") == "nosniff", f"{uri}: nosniff")
    equal(reply.header("content-length"), str(len(reply.body)), f"{uri}: length") if reply.body else None
    for cookie in (value for key, value in reply.headers if key == "set-cookie"):
        must("Secure" in cookie and "HttpOnly" in cookie and "SameSite=" in cookie, cookie)


class Page(html.parser.HTMLParser):
    """Whether tags are in balance; labels, links and headings."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.labels, self.inputs = [], [], [], []
        self.links, self.headings, self.lang, self.fields = [], [], None, {}
        self.feed(text)
        self.close()
        must(not self.open, f"not closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        must("style" not in attrs and not any(a.startswith("on") for a in attrs), f"inline in <{tag}>")
        must(tag not in ("script", "style", "iframe"), f"<{tag}>")
        if tag == "html":
            self.lang = attrs.get("lang")
        if "id" in attrs:
            must(attrs["id"] not in self.ids, f"id {attrs['id']} twice")
            self.ids.append(attrs["id"])
        if tag == "label":
            self.labels.append(attrs["for"])
        if tag == "input":
            self.fields[attrs.get("name")] = attrs.get("value", "")
            if attrs.get("type") != "hidden":
                self.inputs.append(attrs["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name in ("href", "src", "action"):
            if name in attrs:
                self.links.append(attrs[name])

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        must(self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}")
        self.open.pop()


def every_page(server):
    """In both languages: sound HTML, a label for each field, no other host, links that lead on."""
    seen = set()
    for uri in PAGES:
        texts = []
        for lang, accept in (("de", "de-AT,de;q=0.9,en;q=0.8"), ("en", "en-GB,en;q=0.9")):
            reply = get(server, uri, HTTP_ACCEPT_LANGUAGE=accept)
            equal(reply.status, 200, uri)
            page = Page(reply.text)
            equal(page.lang, lang, f"{uri}: language")
            must(set(page.inputs) <= set(page.labels), f"{uri}: a field without a label")
            must(page.headings[0] == 1 and page.headings.count(1) == 1, f"{uri}: headings")
            must(all(link.startswith(("/", "?", "#")) and not link.startswith("//") for link in page.links),
                 f"{uri}: leaves the house: {page.links}")
            seen |= {link for link in page.links if link.startswith("/") and not link.startswith("/webmail/")}
            must("{" not in reply.text and "[[" not in reply.text, f"{uri}: a template shows through")
            texts.append(reply.text)
        must(texts[0] != texts[1], f"{uri}: one language")
    for link in seen:
        if link != "/setup/apple.mobileconfig":
            equal(get(server, link).status, 200, link)


def languages(server):
    for accept, lang in (("", "de"), ("fr", "en"), ("fr, de;q=0.1", "de"), ("en;q=0.5,de;q=0.6", "de"), ("*", "de")):
        equal(Page(get(server, "/", HTTP_ACCEPT_LANGUAGE=accept).text).lang, lang, f"Accept-Language: {accept}")
    reply = get(server, "/?lang=en", HTTP_ACCEPT_LANGUAGE="de")
    equal(Page(reply.text).lang, "en", "?lang=en")
    equal(reply.cookies().get("lang"), "en", "the cookie")
    equal(Page(get(server, "/", HTTP_ACCEPT_LANGUAGE="de", HTTP_COOKIE="a=b; lang=en").text).lang, "en", "by cookie")
    equal(Page(get(server, "/?lang=xx", HTTP_ACCEPT_LANGUAGE="de").text).lang, "de", "?lang=xx")


def style_is_kept(server):
    link = re.search(r"/style-[0-9a-f]+\.css", get(server, "/").text).group(0)
    reply = get(server, link)
    must("immutable" in reply.header("cache-control") and "prefers-color-scheme: dark" in reply.text, "style")
    equal(get(server, "/style-0123456789abcdef.css").status, 404, "another hash")
    must(get(server, "/").header("cache-control") == "no-store", "pages are not kept")


def access_data(server):
    text = get(server, "/access").text
    for name in ("imaps", "imap", "pop3s", "pop3", "submissions", "submission"):
        must(f"<td>{server.port(name)}</td>" in text, f"the port of {name} is not told")
    must("<code>localhost</code>" in text, "the host is not told")


def certificate(server):
    der = ssl.PEM_cert_to_DER_cert(pathlib.Path(server.cert).read_text())
    print_ = hashlib.sha256(der).hexdigest().upper()
    text = get(server, "/transport", HTTP_ACCEPT_LANGUAGE="en").text
    must(":".join(print_[i:i + 2] for i in range(0, 64, 2)) in text, "the fingerprint")
    must("EC, 256 bit" in text and "signed by ourselves" in text, "what it is")


def odd_requests(server):
    equal(get(server, "/nothing").status, 404, "no page")
    equal(ask(server, "POST", "/access", b"").status, 405, "POST to a page")
    equal(ask(server, "DELETE", "/").status, 405, "DELETE")
    equal(get(server, "/?a=%zz").status, 400, "a bad escape")
    equal(get(server, "/internal/judge").status, 404, "the webmail's on the public side")
    equal(get(server, "/metrics").status, 404, "metrics on the public side")
    equal(get(server, "/", which="web-internal").status, 404, "pages on the internal side")
    equal(ask(server, "POST", "/password", b"x" * 17000).status, 413, "a long body")
    equal(ask(server, "POST", "/password", b"x=1", CONTENT_TYPE="text/plain").status, 400, "no form")
    head = ask(server, "HEAD", "/")
    must(head.status == 200 and not head.body, "HEAD")
    for octets in (b"", b"x", b"99999999:", b"5:hello,", netstring([("SCGI", "1"), ("CONTENT_LENGTH", "0")]),
                   netstring([("CONTENT_LENGTH", "0"), ("SCGI", "1"), ("REQUEST_METHOD", "GET"),
                              ("REQUEST_URI", "/"), ("REMOTE_ADDR", "somewhere")]),
                   netstring([("CONTENT_LENGTH", "9"), ("SCGI", "1"), ("REQUEST_METHOD", "GET")])):
        equal(raw(server, octets), b"", f"{octets[:60]}")


def change(server, user, old, new, address="127.9.0.1", again=None, token=None, cookie=None, lang="de", **more):
    form = get(server, f"/password?lang={lang}", address=address)
    cookie = cookie if cookie is not None else "__Host-form=" + form.cookies()["__Host-form"]
    token = token if token is not None else Page(form.text).fields["token"]
    fields = {"user": user, "password": old, "new": new, "again": again if again is not None else new, "token": token}
    return ask(server, "POST", f"/password?lang={lang}", fields, address=address, HTTP_COOKIE=cookie, **more)


def password(server):
    ann = server.user("ann")
    new = "Neues-Passwort-1~{}"
    for lang, wrong, what, text in [
        ("de", "kurz", "kurz", "mindestens 8 Zeichen"), ("en", "kurz", "kurz", "at least 8 characters"),
        ("de", "grün-und-blau-77", None, "Umlaute"), ("en", "two words here 7", None, "not allowed"),
        ("de", new, "anders-als-das-1", "Wiederholung"), ("en", new, "anders-als-das-1", "repetition"),
    ]:
        reply = change(server, ann.address, ann.password, wrong, again=what, lang=lang)
        must(reply.status == 422 and text in reply.text, f"{wrong}: {reply.status} {text}")
        must(ann.password not in reply.text and wrong not in reply.text, "a password is shown")
        must(f'value="{ann.address}"' in reply.text, "the address has to be typed again")
    reply = change(server, ann.address, "wrong", new)
    must(reply.status == 403 and "ist falsch" in reply.text, f"the old one wrong: {reply.status}")
    reply = change(server, ann.address, ann.password, new)
    must(reply.status == 200 and "gilt ab sofort" in reply.text, f"the change: {reply.status} {reply.text}")
    server.imap(ann._replace(password=new)).logout()
    reply = change(server, ann.address, ann.password, new + "x")
    equal(reply.status, 403, "with the password before")


def locked_account(server):
    """Who has the password is told why, and nobody else."""
    hans = server.user("hans")
    server.order("user", "lock", hans.address)
    reply = change(server, *hans, "Neues-Passwort-8", address="127.9.0.8")
    must(reply.status == 422 and "gesperrt" in reply.text, f"with the password: {reply.status} {reply.text}")
    reply = change(server, hans.address, "wrong", "Neues-Passwort-8", address="127.9.0.8")
    must(reply.status == 403 and "gesperrt" not in reply.text, f"without it: {reply.status}")
    me = {"user": hans.address, "password": hans.password, "addr": "127.9.0.8"}
    answer = internal(server, "password", **me, new="Neues-Passwort-8")
    must(answer["result"] == "refused" and answer["word"] == "locked", answer)


def joining(server):
    """By invitation, while the service is open; the link is good once."""
    def invite(address):
        link = json.loads(server.order("invite", "--json", address))["link"]
        must(link.startswith(f"https://localhost:{server.port('https')}/join?invitation="), link)
        return link[link.index("/join"):]

    def send(link, password, address="127.9.0.7", again=None):
        form = get(server, link, address=address, HTTP_ACCEPT_LANGUAGE="de")
        if form.status != 200:
            return form
        fields = {"invitation": Page(form.text).fields["invitation"], "new": password,
                  "again": again or password, "token": Page(form.text).fields["token"]}
        return ask(server, "POST", "/join", fields, address=address, HTTP_ACCEPT_LANGUAGE="de",
                   HTTP_COOKIE="__Host-form=" + form.cookies()["__Host-form"])

    link = invite("karla@example.test")
    must("keine neuen Benutzer" in get(server, "/join", HTTP_ACCEPT_LANGUAGE="de").text, "closed, without a link")
    must("keine neuen Benutzer" in get(server, "/service", HTTP_ACCEPT_LANGUAGE="de").text, "closed, the state")
    reply = send(link, "Ganz-neu-und-lang-7")
    must(reply.status == 403 and "keine neuen Benutzer" in reply.text, f"closed, with a link: {reply.status}")
    server.order("service", "open")
    must('name="invitation"' in get(server, "/join").text, "open, without a link")
    must("karla@example.test" in get(server, link).text, "whose invitation it is")
    reply = send(link, "kurz")
    must(reply.status == 422 and "mindestens 8 Zeichen" in reply.text, "a short password")
    equal(send(link, "Ganz-neu-und-lang-7", again="Ganz-neu-und-lang-8").status, 422, "two passwords")
    reply = send(link, "Ganz-neu-und-lang-7")
    must(reply.status == 200 and "karla@example.test" in reply.text, f"joining: {reply.status} {reply.text}")
    server.imap(server.demo1._replace(address="karla@example.test", password="Ganz-neu-und-lang-7")).logout()
    equal(send(link, "Ganz-neu-und-lang-9").status, 403, "the second time")
    equal(get(server, "/join?invitation=" + "a" * 32).status, 403, "a token made up")


def state_of_service(server):
    server.order("service", "read-only", "--notice", "Umzug am Sonntag <bald>")
    text = get(server, "/", HTTP_ACCEPT_LANGUAGE="de").text
    must("Umzug am Sonntag &lt;bald&gt;" in text, "the notice on the first page")
    must("weder angenommen noch versandt" in get(server, "/service", HTTP_ACCEPT_LANGUAGE="de").text, "read-only")
    server.order("service", "ended", "--on", "2099-12-31")
    must("31.12.2099" in get(server, "/service", HTTP_ACCEPT_LANGUAGE="de").text, "the last day")
    must("2099-12-31" in get(server, "/", HTTP_ACCEPT_LANGUAGE="en").text, "the last day, in English")
    server.order("service", "closed")
    must("class=\"box\"" not in get(server, "/").text, "nothing to notice any more")


def foreign_forms(server):
    bob = server.user("bob")
    new = "Neues-Passwort-2"
    equal(change(server, *bob, new, token="").status, 403, "without a token")
    equal(change(server, *bob, new, cookie="").status, 403, "without the cookie")
    equal(change(server, *bob, new, cookie="__Host-form=" + 32 * "0").status, 403, "another browser's cookie")
    equal(change(server, *bob, new, token="00000001" + 32 * "0").status, 403, "a token made up")
    equal(change(server, *bob, new, HTTP_SEC_FETCH_SITE="cross-site").status, 403, "from another site")
    equal(ask(server, "POST", "/password", {"user": "x"}).status, 400, "fields are missing")
    server.imap(bob).logout()
    equal(change(server, *bob, new, HTTP_SEC_FETCH_SITE="same-origin").status, 200, "ours")


def escaped(server):
    reply = change(server, '"><b>&\'x', "wrong", "Neues-Passwort-3", address="127.9.0.9")
    must("<b>" not in reply.text and "&quot;&gt;&lt;b&gt;&amp;&#39;x" in reply.text, "not escaped")
    Page(reply.text)


def lockout(server):
    carl = server.user("carl")
    away = "127.9.0.5"
    must("ist nicht gesperrt" in get(server, "/lockout", address=away, HTTP_ACCEPT_LANGUAGE="de").text, "not blocked")
    text = get(server, "/lockout", address=away, HTTP_ACCEPT_LANGUAGE="en").text
    must("Up to 4 wrong passwords within 20 minutes" in text and "within 24 hours" in text, "the numbers")
    must("the first 64 bits" in get(server, "/lockout", address="2001:db8::1", HTTP_ACCEPT_LANGUAGE="en").text, "IPv6")
    for n in range(5):
        reply = change(server, carl.address, "wrong", "Neues-Passwort-4", address=away)
        equal(reply.status, 403, f"wrong password {n + 1}")
    must("Zugang gesperrt bis" in reply.text and "5 falsche Passwörter" in reply.text, "the fifth")
    reply = change(server, *carl, "Neues-Passwort-4", address=away, lang="en")
    must(reply.status == 403 and "Closed for your address until" in reply.text, "the right one does not help")
    must("Zugang gesperrt bis" in get(server, "/lockout", address=away, HTTP_ACCEPT_LANGUAGE="de").text, "the page says so")
    must("ist nicht gesperrt" in get(server, "/lockout", HTTP_ACCEPT_LANGUAGE="de").text, "a neighbour")
    equal(change(server, *carl, "Neues-Passwort-4", address="127.9.0.6").status, 200, "from elsewhere")


def rates(server):
    statuses = [get(server, "/", address="127.9.9.9").status for _ in range(1500)]  # each process counts
    must(statuses[0] == 200 and 429 in statuses, f"{statuses.count(200)} pages were given")
    equal(get(server, "/", address="127.9.9.8").status, 200, "a neighbour")


# --- what programs fetch ---

def mozilla(server):
    for uri in ("/mail/config-v1.1.xml?emailaddress=ann%40example.test",
                "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=ann@EXAMPLE.test"):
        root = xml.fromstring(get(server, uri).body)
        equal(root.find("emailProvider").get("id"), "example.test", "the provider")
        found = [(s.get("type"), s.findtext("hostname"), int(s.findtext("port")), s.findtext("socketType"),
                  s.findtext("username")) for s in root.iter() if s.tag in ("incomingServer", "outgoingServer")]
        equal(found, [(kind, "localhost", server.port(name), how, "%EMAILADDRESS%") for kind, name, how in (
            ("imap", "imaps", "SSL"), ("imap", "imap", "STARTTLS"), ("pop3", "pop3s", "SSL"),
            ("pop3", "pop3", "STARTTLS"), ("smtp", "submissions", "SSL"), ("smtp", "submission", "STARTTLS"))], "servers")
    equal(get(server, "/mail/config-v1.1.xml", HTTP_HOST="autoconfig.example.test:10443").status, 200, "by the host")
    equal(get(server, "/mail/config-v1.1.xml?emailaddress=a@elsewhere.example").status, 404, "another's domain")
    equal(get(server, "/mail/config-v1.1.xml?emailaddress=nobody").status, 404, "no address")


REQUEST = """<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
<Request><EMailAddress>%s</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/\
autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>"""
NS = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"


def outlook(server):
    def discover(email, uri="/autodiscover/autodiscover.xml"):
        reply = ask(server, "POST", uri, (REQUEST % email).encode(), CONTENT_TYPE="text/xml")
        equal(reply.status, 200, uri)
        return xml.fromstring(reply.body)

    root = discover("ann@example.test", "/Autodiscover/Autodiscover.xml")
    found = [(p.findtext(NS + "Type"), int(p.findtext(NS + "Port")), p.findtext(NS + "LoginName"))
             for p in root.iter(NS + "Protocol")]
    must(("IMAP", server.port("imaps"), "ann@example.test") in found and
         ("SMTP", server.port("submissions"), "ann@example.test") in found, found)
    must(discover("ann@elsewhere.example").find(".//{*}ErrorCode") is not None, "another's domain")
    must(discover("&lt;x>@example.test").find(".//{*}ErrorCode") is not None, "markup in an address")
    for uri in ("/autodiscover/autodiscover.json?Email=ann%40example.test&Protocol=AutodiscoverV1",
                "/autodiscover/autodiscover.json/v1.0/ann@example.test?Protocol=AutodiscoverV1"):
        answer = json.loads(get(server, uri).body)
        must(answer["Url"].endswith("/autodiscover/autodiscover.xml"), answer)
    equal(get(server, "/autodiscover/autodiscover.json?Protocol=ActiveSync").status, 400, "not ours")


def apple(server):
    reply = get(server, "/setup/apple.mobileconfig?email=ann%40example.test")
    equal(reply.header("content-type"), "application/x-apple-aspen-config", "its type")
    checked = subprocess.run(["openssl", "cms", "-verify", "-inform", "DER", "-CAfile", server.cert],
                             input=reply.body, capture_output=True)
    equal(checked.returncode, 0, f"the signature: {checked.stderr}")
    account = plistlib.loads(checked.stdout)["PayloadContent"][0]
    equal((account["EmailAddress"], account["IncomingMailServerPortNumber"], account["IncomingMailServerUseSSL"],
           account["OutgoingMailServerPortNumber"]),
          ("ann@example.test", server.port("imaps"), True, server.port("submissions")), "the account")
    again = get(server, "/setup/apple.mobileconfig?email=Ann%40example.test")
    equal(plistlib.loads(subprocess.run(["openssl", "cms", "-verify", "-noverify", "-inform", "DER"], input=again.body,
          capture_output=True).stdout)["PayloadUUID"], plistlib.loads(checked.stdout)["PayloadUUID"], "one profile")
    equal(get(server, "/setup/apple.mobileconfig?email=ann@elsewhere.example").status, 404, "another's domain")
    equal(get(server, "/setup/apple.mobileconfig").status, 404, "no address")


def sts(server):
    text = get(server, "/.well-known/mta-sts.txt").text
    equal(text, "version: STSv1\r\nmode: testing\r\nmx: mail.example.test\r\nmax_age: 604800\r\n", "the policy")


# --- what the webmail asks ---

def internal(server, call, status=200, **fields):
    reply = ask(server, "POST", f"/internal/{call}", fields, which="web-internal")
    equal(reply.status, status, f"{call}: {reply.text}")
    return json.loads(reply.body)


def judged(server):
    answer = internal(server, "judge", user="ann@example.test", new="kurz")
    must(answer["word"] == "too_short" and "8" in answer["reason"]["de"], answer)
    answer = internal(server, "judge", user="ann@example.test", new="Neues-Passwort-1~{}")
    must(answer["word"] == "ok" and answer["score"] == 4 and answer["advice"]["en"], answer)
    equal(internal(server, "judge", 400, user="x")["result"], "bad", "a field is missing")
    equal(internal(server, "judge", 400, user="x", new="y", more="z")["result"], "bad", "one too many")


def webmail_password(server):
    dora = server.user("dora")
    me = {"user": dora.address, "password": dora.password, "addr": "127.9.1.1"}
    answer = internal(server, "password", **me, new="umläut-passwort")
    must(answer["result"] == "refused" and answer["word"] == "umlaut" and "closed" not in answer, answer)
    answer = internal(server, "password", **me, new="Neues-Passwort-5")
    must(answer["result"] == "ok" and answer["score"] >= 3, answer)
    server.imap(dora._replace(password="Neues-Passwort-5")).logout()
    for n in range(5):
        answer = internal(server, "password", **me, new="Neues-Passwort-6")
        must(answer["result"] == ("denied" if n < 4 else "closed") and ("closed" in answer) == (n == 4), answer)
    must("5 falsche Passwörter" in answer["closed"]["de"] and answer["closed"]["until"] > 1e9, answer)
    me["password"] = "Neues-Passwort-5"
    equal(internal(server, "password", **me, new="Neues-Passwort-7")["result"], "closed", "the right one, closed")
    equal(internal(server, "apps/list", **me)["result"], "closed", "all of it is closed")
    me["addr"] = "127.9.1.2"
    equal(internal(server, "password", **me, new="Neues-Passwort-7")["result"], "ok", "from elsewhere")
    equal(internal(server, "password", 400, **dict(me, addr="nowhere"), new="x")["result"], "bad", "no address")


def webmail_apps(server):
    emil = server.user("emil")
    me = {"user": emil.address, "password": emil.password, "addr": "127.9.1.3"}
    equal(internal(server, "apps/list", **me)["apps"], [], "none at first")
    made = internal(server, "apps/add", **me, name="Emils Telefon", protocols="imap")
    server.imap(emil._replace(password=made["password"])).logout()
    equal(internal(server, "apps/add", **me, name="Emils Telefon", protocols="")["word"], "exists", "twice")
    equal(internal(server, "apps/add", **me, name="x", protocols="ftp")["word"], "bad_protocols", "ftp")
    apps = internal(server, "apps/list", **me)["apps"]
    must(len(apps) == 1 and apps[0]["name"] == "Emils Telefon" and apps[0]["protocols"] == ["imap"] and
         apps[0]["created"] > 1e9 and apps[0]["used"] > 1e9, apps)
    thief = dict(me, password=made["password"])
    equal(internal(server, "apps/list", **thief)["result"], "denied", "an app password is no key to the rest")
    equal(internal(server, "apps/delete", **me, name="Emils Telefon")["result"], "ok", "withdrawn")
    equal(internal(server, "apps/delete", **me, name="Emils Telefon")["word"], "not_found", "twice")


def webmail_logout(server):
    fritz = server.user("fritz")
    client, other = server.imap(fritz), server.imap(server.demo1)
    me = {"user": fritz.address, "password": fritz.password, "addr": "127.9.1.4"}
    open_ones = internal(server, "sessions", **me)["sessions"]
    must([(s["protocol"], s["address"]) for s in open_ones] == [("imaps", "127.0.0.1")] and
         open_ones[0]["since"] > 1e9, open_ones)
    equal(internal(server, "logout", **dict(me, password="wrong"))["result"], "denied", "a wrong password")
    client.noop()
    equal(internal(server, "logout", **me)["result"], "ok", "logout")
    try:
        client.noop()
        raise Failed("the session goes on")
    except client.abort:
        pass
    other.noop()
    equal(internal(server, "sessions", **me)["sessions"], [], "none is left")
    server.imap(fritz).logout()


def webmail_guarantees(server):
    hanna = server.user("hanna")
    me = {"user": hanna.address, "password": hanna.password, "addr": "127.9.1.6"}
    answer = internal(server, "guarantees", **me)
    equal(answer, {"result": "ok", "own": {"sending": "none", "receiving": "any"},
                   "least": {"sending": "none", "receiving": "any"}}, "at first")
    answer = internal(server, "guarantees/set", **me, sending="authenticated", receiving="encrypted")
    equal(answer["own"], {"sending": "authenticated", "receiving": "encrypted"}, "set")
    equal(internal(server, "guarantees", **me)["own"], answer["own"], "asked once more")
    equal(internal(server, "guarantees/set", **me, sending="any", receiving="any")["word"], "bad_guarantee", "no word")
    thief = dict(me, password="wrong")
    equal(internal(server, "guarantees/set", **thief, sending="none", receiving="any")["result"], "denied", "a thief")
    equal(internal(server, "guarantees", **me)["own"], answer["own"], "after the thief")
    changes = server.events("user.guarantee")
    must(len(changes) == 1 and changes[0]["user"] == hanna.address and changes[0]["ip"] == "127.9.1.6", changes)


def webmail_logins(server):
    gerda = server.user("gerda")
    me = {"user": gerda.address, "password": gerda.password, "addr": "127.9.1.5"}
    server.imap(gerda).logout()
    internal(server, "password", **dict(me, password="wrong"), new="x")
    logins = internal(server, "logins", **me)["logins"]
    found = {(x["protocol"], x["address"], x["good"], x["result"]) for x in logins}
    must({("imap", "127.0.0.1", True, "ok"), ("password", "127.9.1.5", False, "wrong_password"),
          ("recent logins", "127.9.1.5", True, "ok")} <= found, found)
    must(all(x["last"] >= x["first"] > 1e9 and x["count"] > 0 for x in logins), logins)


def reload(server):
    """The configuration that is in force is what the pages tell."""
    text = server.conf.read_text()
    server.conf.write_text(text.replace("\tserver = localhost", '\tserver = imap.example.test\n\tpublished = {"imaps:993"}'))
    os.kill(server.main_pid(), signal.SIGHUP)
    wait_until(lambda: "imap.example.test" in get(server, "/access").text, what="the new configuration")
    must("<td>993</td>" in get(server, "/access").text, "the published port")
    server.conf.write_text(text)
    os.kill(server.main_pid(), signal.SIGHUP)
    wait_until(lambda: "localhost" in get(server, "/access").text, what="the old configuration")


def monitoring(server):
    equal(get(server, "/health", which="web-internal").text, "ok\n", "health")
    text = get(server, "/metrics", which="web-internal").text
    for name in ("tecsmail_keeper_up 1", "tecsmail_logins_total ", "tecsmail_addresses_closed "):
        must("\n" + name in text, f"{name} is not told")
    must(int(re.search(r"^tecsmail_logins_failed_total (\d+)$", text, re.M).group(1)) >= 5, "failures are counted")


SCENARIOS = [every_page, languages, style_is_kept, access_data, certificate, odd_requests, password,
             locked_account, joining, state_of_service, foreign_forms, escaped, lockout,
             rates, mozilla, outlook, apple, sts, judged, webmail_password, webmail_apps,
             webmail_guarantees, webmail_logins, webmail_logout, reload, monitoring]


def main():
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(170)
    failed = 0
    with Server() as server:
        for scenario in SCENARIOS:
            try:
                scenario(server)
                print(f"ok {scenario.__name__}", flush=True)
            except (Failed, OSError, ValueError, KeyError, AttributeError) as why:
                failed += 1
                print(f"FAILED {scenario.__name__}: {why!r:.1500}", flush=True)
        complaints = server.complaints()
        if complaints:
            failed += 1
            print("FAILED the log:", *complaints[:5], sep="\n  ")
    print(f"{len(SCENARIOS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())

# SPDX-License-Identifier: ISC
"""What a browser asks of Roundcube from the click on "log in" to a mail that is read, on one
connection, each request timed by itself."""
import http.client
import http.cookies
import re
import ssl
import time
import urllib.parse


class Visit:
    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPSConnection(self.url.hostname, self.url.port, timeout=30,
                                                      context=ssl._create_unverified_context())
        self.cookies = http.cookies.SimpleCookie()
        self.ms = 0

    def ask(self, query, form=None, headers=None):
        """The answer's text, or where it leads to."""
        headers = dict(headers or {}, Cookie="; ".join(f"{m.key}={m.value}" for m in self.cookies.values()))
        body = None
        if form:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        start = time.perf_counter()
        self.connection.request("POST" if form else "GET", f"{self.url.path}?{query}", body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode(errors="replace")
        self.ms = (time.perf_counter() - start) * 1e3
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies.load(line)
        if answer.status not in (200, 302):
            raise SystemExit(f"{query}: {answer.status} {text[:500]}")
        return answer.headers["Location"] if answer.status == 302 else text


def found(pattern, text):
    match = re.search(pattern, text)
    if not match:
        raise SystemExit(f"no {pattern} in {text[:2000]}")
    return match.group(1)


def visit(url, user, mail):
    """{request: milliseconds}; mail: the UID of the one that is read."""
    v, out = Visit(url), {}
    form = v.ask("_task=login")
    out["form"] = v.ms
    token = found(r'name="_token" value="([^"]+)"', form)
    where = v.ask("_task=login", form={"_token": token, "_task": "login", "_action": "login",
                                       "_timezone": "Europe/Berlin", "_url": "", "_user": user.address,
                                       "_pass": user.password})
    out["login"] = v.ms
    page = v.ask(urllib.parse.urlsplit(found("(.*_task=mail.*)", where)).query)
    out["page"] = v.ms
    ajax = {"X-Roundcube-Request": found(r'"request_token":"([^"]+)"', page), "X-Requested-With": "XMLHttpRequest"}
    listed = v.ask("_task=mail&_action=list&_layout=widescreen&_mbox=INBOX&_remote=1&_unlock=loading1", headers=ajax)
    out["list"] = v.ms
    if listed.count("add_message_row") != 50:
        raise SystemExit(f"not 50 mails in the list: {listed[:1000]}")
    out["login to list"] = out["login"] + out["page"] + out["list"]
    shown = v.ask(f"_task=mail&_caps=pdf%3D1&_uid={mail}&_mbox=INBOX&_framed=1&_action=preview")
    out["mail"] = v.ms
    if f"Mail number {mail}." not in shown:
        raise SystemExit(f"mail {mail} is not in its page: {shown[:1000]}")
    return out

# SPDX-License-Identifier: ISC
"""An authority of the test's own, and certificates good and bad."""
import hashlib
import pathlib
import subprocess

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*words, stdin=None):
    done = subprocess.run(["openssl", *map(str, words)], input=stdin, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"openssl {words[0]}: {done.stderr.decode()[-500:]}")
    return done.stdout


class Cert:
    """A chain and its key, as files."""

    def __init__(self, stem):
        self.cert, self.key = stem.with_suffix(".pem"), stem.with_suffix(".key")

    def spki(self):
        """SHA-256 of the public key: the data of a TLSA record 3 1 1 (RFC 6698 2.1.2)."""
        der = openssl("pkey", "-pubin", "-outform", "DER",
                      stdin=openssl("x509", "-in", self.cert, "-noout", "-pubkey"))
        return hashlib.sha256(der).hexdigest()


class Authority:
    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.home.mkdir()
        self.root = Cert(self.home / "root")
        openssl("req", "-x509", *EC, "-days", "30", "-subj", "/CN=authority of the test",
                "-keyout", self.root.key, "-out", self.root.cert)
        self.made = 0

    def stem(self):
        self.made += 1
        return self.home / f"cert{self.made}"

    def issue(self, *names, days=20, chain=False, key=None):
        """A certificate for these names; with days=-1 it has expired; chain: the authority's own
        is shown with it, as TLSA 2 x x wants it (RFC 7671 5.2); key: a file, else a new one."""
        made = Cert(self.stem())
        ask, ext = made.cert.with_suffix(".req"), made.cert.with_suffix(".ext")
        made.key = key or made.key
        openssl("req", "-new", *(["-key", key] if key else [*EC, "-keyout", made.key]),
                "-subj", f"/CN={names[0][:60]}", "-out", ask)
        ext.write_text("subjectAltName=" + ",".join(
            ("IP:" if n[0].isdigit() or ":" in n else "DNS:") + n for n in names) + "\n")
        openssl("x509", "-req", "-in", ask, "-CA", self.root.cert, "-CAkey", self.root.key,
                "-CAcreateserial", "-days", days, "-extfile", ext, "-out", made.cert)
        if chain:
            made.cert.write_text(made.cert.read_text() + self.root.cert.read_text())
        return made

    def self_signed(self, *names):
        made = Cert(self.stem())
        openssl("req", "-x509", *EC, "-days", "20", "-subj", f"/CN={names[0][:60]}",
                "-keyout", made.key, "-out", made.cert,
                "-addext", "subjectAltName=" + ",".join("DNS:" + n for n in names))
        return made

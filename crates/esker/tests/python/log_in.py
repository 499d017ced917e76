"""Logs in over TLS as a browser does, and prints who that is."""

import http.cookiejar
import ssl
import sys
import urllib.parse
import urllib.request

port, certificate, user, password = sys.argv[1:]
base = f"https://localhost:{port}"
trust = ssl.create_default_context(cafile=certificate)
cookies = http.cookiejar.CookieJar()
browser = urllib.request.build_opener(
    urllib.request.HTTPSHandler(context=trust), urllib.request.HTTPCookieProcessor(cookies)
)
form = urllib.parse.urlencode({"user": user, "password": password, "next": "/api/me"}).encode()
request = urllib.request.Request(f"{base}/login", data=form, headers={"Origin": base})
print(browser.open(request, timeout=60).read().decode())
assert [cookie.name for cookie in cookies] == ["__Host-esker"], cookies
assert all(cookie.secure for cookie in cookies), cookies

"""The pages a router has when its hotspot is set up: written anew, with the forms, links and names of the real ones."""

from functools import lru_cache

from kampungnet_sim.servlet_errors import default_errors_txt

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="pragma" content="no-cache"><meta http-equiv="expires" content="-1">
"""

LOGIN = (
    _HEAD
    + """<title>Internet hotspot - Log in</title></head><body>
$(if chap-id)
<form name="sendin" action="$(link-login-only)" method="post" style="display:none">
<input type="hidden" name="username"><input type="hidden" name="password">
<input type="hidden" name="dst" value="$(link-orig)"><input type="hidden" name="popup" value="true">
</form>
<script src="/md5.js"></script>
<script>
function doLogin() {
  document.sendin.username.value = document.login.username.value;
  document.sendin.password.value = hexMD5('$(chap-id)' + document.login.password.value + '$(chap-challenge)');
  document.sendin.submit();
  return false;
}
</script>
$(endif)
<h1>Log in</h1>
<p>Please log on to use the internet hotspot service
$(if trial == 'yes')<br>Free trial available,
<a href="$(link-login-only)?dst=$(link-orig-esc)&amp;username=T-$(mac-esc)">click here</a>.$(endif)</p>
<form name="login" action="$(link-login-only)" method="post" $(if chap-id)onsubmit="return doLogin()"$(endif)>
<input type="hidden" name="dst" value="$(link-orig)"><input type="hidden" name="popup" value="true">
<label>Login <input name="username" type="text" value="$(username)"></label>
<label>Password <input name="password" type="password"></label>
<input type="submit" value="Connect">
</form>
$(if error)<p class="error">$(error)</p>$(endif)
</body></html>
"""
)

ALOGIN = (
    _HEAD
    + """<meta http-equiv="refresh" content="2; url=$(link-redirect)">
<title>Internet hotspot - Redirect</title></head><body>
<h1>You are logged in</h1>
<p>If nothing happens, click <a href="$(link-redirect)">here</a></p>
</body></html>
"""
)

_ROWS = """<tr><td>IP address:</td><td>$(ip)</td></tr>
<tr><td>bytes up/down:</td><td>$(bytes-in-nice) / $(bytes-out-nice)</td></tr>
"""

STATUS = (
    _HEAD
    + """$(if refresh-timeout)<meta http-equiv="refresh" content="$(refresh-timeout-secs)">$(endif)
<title>Internet hotspot - Status</title></head><body>
$(if login-by == 'trial')<h1>Welcome trial user!</h1>
$(elif login-by != 'mac')<h1>Welcome $(username)!</h1>$(endif)
<table>
"""
    + _ROWS
    + """$(if session-time-left)<tr><td>connected / left:</td><td>$(uptime) / $(session-time-left)</td></tr>
$(else)<tr><td>connected:</td><td>$(uptime)</td></tr>$(endif)
$(if remain-bytes-total)<tr><td>remaining bytes:</td><td>$(remain-bytes-total)</td></tr>$(endif)
</table>
$(if login-by-mac != 'yes')<form action="$(link-logout)" name="logout"><input type="submit" value="Log out"></form>
$(endif)
</body></html>
"""
)

LOGOUT = (
    _HEAD
    + """<title>Internet hotspot - Logout</title></head><body>
<h1>You have just logged out</h1>
<table><tr><td>user name:</td><td>$(username)</td></tr>
"""
    + _ROWS
    + """<tr><td>session time:</td><td>$(uptime)</td></tr></table>
<form action="$(link-login)" name="login"><input type="submit" value="Log in"></form>
</body></html>
"""
)

REDIRECT = (
    """$(if http-status == 302)Hotspot redirect$(endif)
$(if http-header == "Location")$(link-redirect)$(endif)
"""
    + _HEAD
    + """<title>...</title><meta http-equiv="refresh" content="0; url=$(link-redirect)"></head><body></body></html>
"""
)

RLOGIN = (
    """$(if http-status == 302)Hotspot login required$(endif)
$(if http-header == "Location")$(link-redirect)$(endif)
"""
    + _HEAD
    + """<title>Internet hotspot</title><meta http-equiv="refresh" content="0; url=$(link-redirect)"></head>
<body></body></html>
"""
)

ERROR = (
    _HEAD
    + """<title>Internet hotspot - Error</title></head><body>
<h1>Hotspot ERROR</h1><p>$(error)</p>
<p>Login page: <a href="$(link-login)">$(link-login)</a></p>
</body></html>
"""
)

API = """{
   "captive": $(if logged-in == 'yes')false$(else)true$(endif),
   "user-portal-url": "$(link-login-only)",
$(if session-timeout-secs != 0)   "seconds-remaining": $(session-timeout-secs),
$(endif)$(if remain-bytes-total)   "bytes-remaining": $(remain-bytes-total),
$(endif)   "can-extend-session": true
}
"""

# RFC 1321 over the low bytes of a text, as the router's own script does it.
MD5_JS = r"""function hexMD5(text) {
  var bytes = [], words = [], shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
  var state = [1732584193, -271733879, -1732584194, 271733878], i, block, out = '';
  for (i = 0; i < text.length; i++) bytes.push(text.charCodeAt(i) & 255);
  var bits = bytes.length * 8;
  bytes.push(128);
  while (bytes.length % 64 != 56) bytes.push(0);
  for (i = 0; i < 4; i++) bytes.push((bits >>> (8 * i)) & 255);
  bytes.push(0, 0, 0, 0);
  for (i = 0; i < bytes.length; i += 4)
    words.push(bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 | bytes[i + 3] << 24);
  for (block = 0; block < words.length; block += 16) {
    var a = state[0], b = state[1], c = state[2], d = state[3];
    for (i = 0; i < 64; i++) {
      var round = i >> 4, f, g, s = shifts[round * 4 + (i & 3)];
      if (round == 0) { f = (b & c) | (~b & d); g = i; }
      else if (round == 1) { f = (d & b) | (~d & c); g = (5 * i + 1) & 15; }
      else if (round == 2) { f = b ^ c ^ d; g = (3 * i + 5) & 15; }
      else { f = c ^ (b | ~d); g = (7 * i) & 15; }
      var sum = (a + f + (Math.floor(Math.abs(Math.sin(i + 1)) * 4294967296) | 0) + words[block + g]) | 0;
      a = d; d = c; c = b; b = (b + (sum << s | sum >>> (32 - s))) | 0;
    }
    state = [(state[0] + a) | 0, (state[1] + b) | 0, (state[2] + c) | 0, (state[3] + d) | 0];
  }
  for (i = 0; i < 16; i++) {
    var one = (state[i >> 2] >>> (8 * (i & 3))) & 255;
    out += (one < 16 ? '0' : '') + one.toString(16);
  }
  return out;
}
"""


@lru_cache(maxsize=2)
def default_files(*, with_api: bool) -> dict[str, bytes]:
    """A new directory by file name. ``api.json`` came with 6.48 and 7 (9.6)."""
    texts = {
        "alogin.html": ALOGIN, "error.html": ERROR, "errors.txt": default_errors_txt(), "login.html": LOGIN,
        "logout.html": LOGOUT, "md5.js": MD5_JS, "redirect.html": REDIRECT, "rlogin.html": RLOGIN,
        "status.html": STATUS,
    }  # fmt: skip
    if with_api:
        texts["api.json"] = API
    return {name: text.encode() for name, text in texts.items()}

"""The two pages every fake platform shows: consent, and the timeline of what was published."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from .fake_ledger import FakeMedia, LedgerEntry

__all__ = ["draw_picture", "render_consent", "render_timeline"]

_STYLE: Final = """
:root { color-scheme: light dark; --accent: {{ accent }}; }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
header { background: var(--accent); color: #fff; padding: .75rem 1rem; font-weight: 650; }
header small { font-weight: 400; opacity: .85; margin-left: .5rem; }
main { max-width: 36rem; margin: 1.25rem auto; padding: 0 1rem; }
article { border: 1px solid color-mix(in srgb, CanvasText 18%, Canvas); border-radius: .6rem; padding: .8rem 1rem; margin-bottom: .8rem; }
article h2 { font-size: .95rem; margin: 0; display: inline; }
article time { color: GrayText; font-size: .85rem; margin-left: .4rem; }
article p { white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0 0; }
article .card { display: block; border: 1px solid color-mix(in srgb, CanvasText 14%, Canvas); border-radius: .4rem; padding: .45rem .7rem; margin-top: .5rem; overflow-wrap: anywhere; }
article a.card:has(strong) { color: inherit; text-decoration: none; }
article .card img { float: right; width: 5rem; height: 4rem; object-fit: cover; border-radius: .3rem; margin-left: .6rem; }
article .card::after { content: ""; display: block; clear: both; }
article .card small { display: block; color: GrayText; }
.media { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .6rem; }
figure { flex: 1 1 40%; margin: 0; min-width: 0; }
figure img, figure video { display: block; width: 100%; max-height: 18rem; min-height: 4rem; object-fit: contain; border-radius: .4rem; background: color-mix(in srgb, CanvasText 7%, Canvas); }
figure .file { border: 1px dashed color-mix(in srgb, CanvasText 35%, Canvas); border-radius: .4rem; padding: 1.2rem .7rem; text-align: center; overflow-wrap: anywhere; }
figcaption { color: GrayText; font-size: .85rem; overflow-wrap: anywhere; margin-top: .2rem; }
article.reply { margin: .8rem 0 0 .4rem; padding: .1rem 0 .1rem .9rem; border: 0; border-left: 3px solid color-mix(in srgb, var(--accent) 55%, Canvas); border-radius: 0; }
.empty { color: GrayText; text-align: center; padding: 2rem 0; }
fieldset { border: 0; padding: 0; margin: 1rem 0; }
label { display: block; padding: .5rem .7rem; border: 1px solid color-mix(in srgb, CanvasText 18%, Canvas); border-radius: .5rem; margin: .4rem 0; }
ul { padding-left: 1.2rem; }
button { font: inherit; padding: .55rem 1.3rem; border-radius: .5rem; border: 1px solid color-mix(in srgb, CanvasText 25%, Canvas); background: Canvas; color: CanvasText; cursor: pointer; }
button.primary { background: var(--accent); border-color: var(--accent); color: #fff; }
button:focus-visible, input:focus-visible { outline: 3px solid color-mix(in srgb, var(--accent) 60%, Canvas); outline-offset: 2px; }
.note { color: GrayText; font-size: .85rem; }
/* In a small frame, whose surroundings name the platform already. */
@media (max-height: 200px) { header { display: none; } article time { font-size: .75rem; } main { margin: .7rem auto; padding: 0 .8rem; } .empty { padding: .8rem 0; margin: 0; } }
"""

_CONSENT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"><title>{{ title }}: allow access?</title><style>{{ style }}</style></head>
<body><header>{{ title }} <small>sandbox</small></header><main>
<h1>Allow LogicSpike to use your account?</h1>
<p>LogicSpike asks for:</p>
<ul>{% for scope in scopes %}<li><code>{{ scope }}</code></li>{% endfor %}</ul>
<form method="post" action="{{ action }}">
<fieldset><legend>Continue as</legend>
{% for account in people %}
<label><input type="radio" name="person" value="{{ account.id }}"{% if loop.first %} checked{% endif %}> {{ account.name }}{% if account.about %} <small class="note">{{ account.about }}</small>{% endif %}</label>
{% endfor %}
</fieldset>
<button class="primary" name="decision" value="allow" data-testid="allow">Allow</button>
<button name="decision" value="cancel" data-testid="cancel">Cancel</button>
</form>
<p class="note">This page stands in for {{ title }} on your own computer. Nothing leaves it.</p>
</main></body></html>
"""

_TIMELINE: Final = """{% macro show(entry) %}<h2>{{ entry.account.name }}</h2><time datetime="{{ entry.at.isoformat() }}">{{ entry.at.strftime("%a %d %b %Y, %H:%M:%S") }} UTC</time>
{% if entry.text %}<p>{{ entry.text }}</p>{% endif %}
{% if entry.media %}<div class="media">{% for medium in entry.media %}{{ show_medium(medium) }}{% endfor %}</div>{% endif %}
{% if entry.card %}<a class="card" data-testid="card" href="{{ entry.link }}" rel="noreferrer">{% if entry.card.picture %}<img src="{{ address(entry.card.picture) }}" alt="">{% endif %}<strong>{{ entry.card.title }}</strong>{% if entry.card.description %}<br>{{ entry.card.description }}{% endif %}<small>{{ entry.link }}</small></a>
{% elif entry.link %}<a class="card" href="{{ entry.link }}" rel="noreferrer">{{ entry.link }}</a>{% endif %}{% endmacro %}
{% macro show_medium(medium) %}<figure data-testid="{{ medium.kind }}">
{% if not medium.is_playable %}<div class="file">Video ({{ medium.content_type }}, {{ "{:,}".format(medium.size) }} bytes) with no pictures in it to show</div>
{% elif medium.kind == "video" %}<video controls muted preload="metadata" src="{{ address(medium) }}" aria-label="{{ medium.alt_text or "Video" }}"></video>
{% else %}<img src="{{ address(medium) }}" alt="{{ medium.alt_text }}">{% endif %}
{% if medium.alt_text %}<figcaption>Alt text: {{ medium.alt_text }}</figcaption>{% elif medium.kind != "video" %}<figcaption>No alt text</figcaption>{% endif %}</figure>{% endmacro %}
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"><title>{{ title }}: timeline</title><style>{{ style }}</style></head>
<body><header>{{ title }} <small>sandbox timeline</small></header><main data-testid="timeline">
{% for thread in threads %}
<article id="{{ thread[0].id }}" data-testid="post">{{ show(thread[0]) }}
{% for reply in thread[1:] %}
<article id="{{ reply.id }}" class="reply" data-testid="reply">{{ show(reply) }}</article>
{% endfor %}
</article>
{% else %}<p class="empty">Nothing published yet. What the bot publishes appears here.</p>
{% endfor %}
</main></body></html>
"""

_PICTURE: Final = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" width="96" height="96">
<rect width="48" height="48" fill="hsl({{ hue }} 55% 38%)"/>
<text x="24" y="31" text-anchor="middle" font-family="sans-serif" font-size="19" fill="#fff">{{ initials }}</text></svg>
"""

_environment = jinja2.Environment(
    # By name, so that each is compiled once.
    loader=jinja2.DictLoader({"style": _STYLE, "consent": _CONSENT, "picture": _PICTURE, "timeline": _TIMELINE}),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)


def render_consent(*, title: str, accent: str, scopes: object, people: object, action: str) -> str:
    """Render the page with Allow and Cancel; ``action`` is where the form goes."""
    return _render("consent", accent, title=title, scopes=scopes, people=people, action=action)


def draw_picture(name: str) -> str:
    """Draw a profile picture with the initials of a name, in a colour of its own, as SVG."""
    initials = "".join(word[0] for word in name.split()[:2])
    hue = zlib.crc32(name.encode()) % 360
    return _environment.get_template("picture").render(hue=hue, initials=initials)


def render_timeline(*, title: str, accent: str, threads: Sequence[Sequence[LedgerEntry]]) -> str:
    """Render what was published, the newest post first, with its replies under it."""
    return _render("timeline", accent, title=title, threads=threads, address=_to_address)


def _to_address(medium: FakeMedia) -> str:
    return f"/sandbox/media/{quote(medium.id, safe='')}"


def _render(template: str, accent: str, **values: object) -> str:
    style = _environment.get_template("style").render(accent=accent)
    return _environment.get_template(template).render(style=Markup(style), **values)

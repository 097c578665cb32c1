"""The two pages every fake platform shows: consent, and the timeline of what was published."""

from __future__ import annotations

from typing import Final

import jinja2
from markupsafe import Markup

__all__ = ["render_consent", "render_timeline"]

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
.empty { color: GrayText; text-align: center; padding: 2rem 0; }
fieldset { border: 0; padding: 0; margin: 1rem 0; }
label { display: block; padding: .5rem .7rem; border: 1px solid color-mix(in srgb, CanvasText 18%, Canvas); border-radius: .5rem; margin: .4rem 0; }
ul { padding-left: 1.2rem; }
button { font: inherit; padding: .55rem 1.3rem; border-radius: .5rem; border: 1px solid color-mix(in srgb, CanvasText 25%, Canvas); background: Canvas; color: CanvasText; cursor: pointer; }
button.primary { background: var(--accent); border-color: var(--accent); color: #fff; }
button:focus-visible, input:focus-visible { outline: 3px solid color-mix(in srgb, var(--accent) 60%, Canvas); outline-offset: 2px; }
.note { color: GrayText; font-size: .85rem; }
/* In a small frame, whose surroundings name the platform already. */
@media (max-height: 200px) { header { display: none; } main { margin: .7rem auto; padding: 0 .8rem; } .empty { padding: .8rem 0; margin: 0; } }
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

_TIMELINE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"><title>{{ title }}: timeline</title><style>{{ style }}</style></head>
<body><header>{{ title }} <small>sandbox timeline</small></header><main data-testid="timeline">
{% for entry in entries %}
<article id="{{ entry.id }}" data-testid="post"><h2>{{ entry.account.name }}</h2><time datetime="{{ entry.at.isoformat() }}">{{ entry.at.strftime("%a %d %b %Y, %H:%M:%S") }} UTC</time>
<p>{{ entry.text }}</p>
{% if entry.link %}<a class="card" href="{{ entry.link }}" rel="noreferrer">{{ entry.link }}</a>{% endif %}
</article>
{% else %}<p class="empty">Nothing published yet. What the bot publishes appears here.</p>
{% endfor %}
</main></body></html>
"""

_environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)


def render_consent(*, title: str, accent: str, scopes: object, people: object, action: str) -> str:
    """Render the page with Allow and Cancel; ``action`` is where the form goes."""
    return _render(_CONSENT, accent, title=title, scopes=scopes, people=people, action=action)


def render_timeline(*, title: str, accent: str, entries: object) -> str:
    """Render what was published, newest first."""
    return _render(_TIMELINE, accent, title=title, entries=entries)


def _render(template: str, accent: str, **values: object) -> str:
    style = _environment.from_string(_STYLE).render(accent=accent)
    return _environment.from_string(template).render(style=Markup(style), **values)

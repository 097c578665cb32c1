"""What Facebook says about a post: the second part of its error table."""

from __future__ import annotations

from typing import Final

from logicspike.plugin import (
    ErrorRow,
    MemberActionRequired,
    PostRejected,
    RateLimited,
)

from .refusals import CODE, EITHER, SUBCODE
from .row_parts import GUIDE, POSTIZ, PUBLISH, WITH_TOKEN, in_an_hour

__all__ = ["POST_ROWS"]

POST_ROWS: Final = (
    ErrorRow(
        name="4854002",
        on=WITH_TOKEN,
        signs={EITHER: frozenset({4854002})},
        error=MemberActionRequired,
        sentence="Facebook wants the identity of the Page's people confirmed before it publishes. Do that at "
        "www.facebook.com, then try again.",
        source=POSTIZ,
    ),
    ErrorRow(
        name="1404112",
        on=WITH_TOKEN,
        signs={EITHER: frozenset({1404112})},
        error=MemberActionRequired,
        sentence="Facebook has limited this account for a few days, for security. Look at the support inbox at "
        "www.facebook.com, then try again.",
        source=POSTIZ,
    ),
    ErrorRow(
        name="368/1390008",
        on=WITH_TOKEN,
        signs={CODE: frozenset({368}), SUBCODE: frozenset({1390008})},
        error=RateLimited,
        sentence="Facebook finds that this Page posts too fast.",
        resumes=in_an_hour,
        source=POSTIZ,
    ),
    ErrorRow(
        name="368/1404006",
        on=WITH_TOKEN,
        signs={CODE: frozenset({368}), SUBCODE: frozenset({1404006})},
        error=MemberActionRequired,
        sentence="Facebook asks for a security check. Sign in at www.facebook.com, do what it asks, then try again.",
        source=POSTIZ,
    ),
    ErrorRow(
        name="368/1404078",
        on=WITH_TOKEN,
        signs={CODE: frozenset({368}), SUBCODE: frozenset({1404078})},
        error=MemberActionRequired,
        sentence="Facebook asks the Page's people for its “Page publishing authorization”. Complete it at "
        "www.facebook.com, then try again.",
        source=POSTIZ,
    ),
    ErrorRow(
        name="368/1404102",
        on=PUBLISH,
        signs={CODE: frozenset({368}), SUBCODE: frozenset({1404102})},
        error=PostRejected,
        sentence="Facebook says that this goes against its community standards. Change the text and schedule it again.",
        source=POSTIZ,
    ),
    ErrorRow(
        name="368",
        on=PUBLISH,
        signs={CODE: frozenset({368})},
        error=MemberActionRequired,
        sentence="Facebook blocked this post: the Page is restricted for a while, or the text says the same as an "
        "earlier post. Look at the Page's support inbox at www.facebook.com; then try again, or cancel the post and "
        "change the text.",
        source=GUIDE + "; github.com/arsduo/koala/issues/422 (a repeated text)",
    ),
    ErrorRow(
        name="368",
        on=WITH_TOKEN - PUBLISH,
        signs={CODE: frozenset({368})},
        error=MemberActionRequired,
        sentence="Facebook restricted this account for a while. Look at the support inbox at www.facebook.com, then "
        "try again.",
        source=GUIDE,
    ),
    ErrorRow(
        name="506",
        on=PUBLISH,
        signs={CODE: frozenset({506})},
        error=PostRejected,
        sentence="Facebook has this very post on the Page already and won't publish it twice in a row. To post it "
        "anew, change the text.",
        source=GUIDE,
    ),
    ErrorRow(
        name="1609008",
        on=PUBLISH,
        signs={EITHER: frozenset({1609008})},
        error=PostRejected,
        sentence="Facebook doesn't take links to facebook.com from apps. Leave the link out.",
        field="link",
        source=POSTIZ,
    ),
    ErrorRow(
        name="1609005",
        on=PUBLISH,
        signs={EITHER: frozenset({1500, 1609005})},
        error=PostRejected,
        sentence="Facebook can't open the link. Check that the address is right and public, or leave it out.",
        field="link",
        source=GUIDE + "; github.com/nov/fb_graph/issues/320 (1500)",
    ),
    ErrorRow(
        name="2061006",
        on=PUBLISH,
        signs={EITHER: frozenset({2061006})},
        error=PostRejected,
        sentence="Facebook can't read an address in the post. Check that it is written right.",
        field="link",
        source=POSTIZ,
    ),
    ErrorRow(
        name="1346003",
        on=PUBLISH,
        signs={EITHER: frozenset({1346003})},
        error=PostRejected,
        sentence="Facebook takes this post for abusive. Change the text and schedule it again.",
        source=POSTIZ,
    ),
    ErrorRow(
        name="1349125",
        on=PUBLISH,
        signs={EITHER: frozenset({1349125})},
        error=PostRejected,
        sentence="Facebook can't read the post as it is. Change the text and schedule it again.",
        source=POSTIZ,
    ),
)

"""The preview in a HEIC: a small picture beside the main one, which phones store for their lists of photos."""

from __future__ import annotations

from catsdogs.model.photos.boxes import all_boxes, item_number, reference


def with_preview_as_main(content: bytes) -> bytes | None:
    """Return a copy of a HEIC that says that its preview is the main picture, or ``None`` where it has no preview.

    A few bytes are changed: the number of the main picture, the link that calls the other one a preview, and the mark
    that hides it. A preview of tiles is none: it may cost as much as the picture.
    """
    main, main_at, preview, link = 0, (0, 0), 0, 0
    pictures: dict[int, int] = {}
    for kind, start, end in all_boxes(content):
        if kind == b"pitm":
            main_at = (start + 4, end)
            main = int.from_bytes(content[start + 4 : end], "big")
        elif kind == b"infe" and content[start + 8 : end].startswith((b"hvc1", b"\0\0hvc1")):
            pictures[item_number(content, start)] = start
        elif kind == b"thmb" and not preview:
            item, of = reference(content[start:end])
            if main in of and item in pictures:
                preview, link = item, start - 4
    if not preview:
        return None
    changed = bytearray(content)
    changed[slice(*main_at)] = preview.to_bytes(main_at[1] - main_at[0], "big")
    changed[link : link + 4] = b"free"
    changed[pictures[preview] + 3] &= 0xFE
    return bytes(changed)

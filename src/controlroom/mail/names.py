"""What the file of a part is called. Pure."""

import mimetypes
from types import MappingProxyType
from typing import Final

from controlroom.mail.parts import Part

_ENDINGS: Final = MappingProxyType(
    {
        "application/gzip": ".gz",
        "application/javascript": ".js",
        "application/ms-tnef": ".dat",
        "application/octet-stream": ".bin",
        "application/pgp-encrypted": ".pgp",
        "application/pgp-keys": ".asc",
        "application/pgp-signature": ".asc",
        "application/pkcs7-mime": ".p7m",
        "application/pkcs7-signature": ".p7s",
        "application/postscript": ".ps",
        "application/rtf": ".rtf",
        "application/vnd.ms-excel": ".xls",
        "application/vnd.ms-outlook": ".msg",
        "application/vnd.ms-powerpoint": ".ppt",
        "application/vnd.ms-tnef": ".dat",
        "application/vnd.oasis.opendocument.spreadsheet": ".ods",
        "application/vnd.oasis.opendocument.text": ".odt",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
        "application/x-7z-compressed": ".7z",
        "application/x-gzip": ".gz",
        "application/x-pkcs7-mime": ".p7m",
        "application/x-pkcs7-signature": ".p7s",
        "application/x-rar-compressed": ".rar",
        "application/x-zip-compressed": ".zip",
        "application/xml": ".xml",
        "audio/mpeg": ".mp3",
        "audio/ogg": ".ogg",
        "audio/wav": ".wav",
        "image/heic": ".heic",
        "image/jpeg": ".jpg",
        "image/jpg": ".jpg",
        "image/pjpeg": ".jpg",
        "image/tiff": ".tif",
        "image/webp": ".webp",
        "image/x-png": ".png",
        "message/delivery-status": ".txt",
        "message/disposition-notification": ".txt",
        "message/global": ".eml",
        "message/rfc822": ".eml",
        "text/calendar": ".ics",
        "text/html": ".html",
        "text/markdown": ".md",
        "text/plain": ".txt",
        "text/rfc822-headers": ".txt",
        "text/rtf": ".rtf",
        "text/vcard": ".vcf",
        "text/x-amp-html": ".html",
        "text/x-vcard": ".vcf",
        "text/xml": ".xml",
        "video/mp4": ".mp4",
        "video/quicktime": ".mov",
    }
)
"""The endings that people expect. Python knows others, some of them differently with each version and machine."""
_KNOWN: Final = mimetypes.MimeTypes()  # what Python brings, nothing of the machine's own files


def ending(content_type: str) -> str:
    """The ending of a file of the type; `.bin` for types of which nobody knows one."""
    known = _ENDINGS.get(content_type) or _KNOWN.guess_extension(content_type, strict=False)
    return known or (".txt" if content_type.startswith("text/") else ".bin")


def given_name(part: Part) -> str | None:
    """The name that the part gives itself, by its disposition or its type; None where it gives none."""
    return part.disposition.get("filename") or part.disposition.get("name") or part.content_type.get("name")

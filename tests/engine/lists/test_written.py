"""Rows that the database writes as JSON say what the rows say."""

from msgspec import json

from controlroom.engine.lists.written import Always, Inside, Plain, Whether, Word, written

KEYS = {
    'a "key"': Plain("id"),
    "rank": Plain("rank"),
    "name": Plain("name"),
    "place": Inside("note", {"note": Plain("note"), "size": Plain("size", '"none"'), "ratio": Plain("ratio")}),
    "at": Plain("at"),
    "is_fine": Plain("is_fine"),
    "is_one": Whether("rank", "1"),
    "sign": Word("rank", {"-2": "it's minus", "-1": 'a "minus"', "0": "nought", "1": "plus", "2": "plus"}),
    "fixed": Always('{"list": []}'),
}


async def test_what_is_written_says_what_the_row_says(specimens):
    """Whatever its values are: quotes, backslashes, characters of any plane, null, the largest numbers, any moment."""
    texts = await specimens.database.all(
        str, f"select {written(specimens.listing, KEYS)} from specimen where not is_hidden order by id"
    )

    words = KEYS["sign"].words
    assert [json.decode(text) for text in texts] == [
        {
            'a "key"': str(row.id),
            "rank": row.rank,
            "name": row.name,
            "place": row.note
            if row.note is None
            else {
                "note": row.note,
                "size": "none" if row.size is None else row.size,
                "ratio": row.ratio,
            },
            "at": row.at and row.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "is_fine": row.is_fine,
            "is_one": row.rank == 1,
            "sign": words[str(row.rank)],
            "fixed": {"list": []},
        }
        for row in sorted(specimens.rows, key=lambda each: each.id)
    ]

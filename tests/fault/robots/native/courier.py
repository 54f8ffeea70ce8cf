"""The courier's work by our own library: an item's output, and its file, go with its release, in one commit.

What is printed after the block of an item, the server has promised.
"""

from controlroom_robot import items

for item in items():
    with item:
        number = item.payload["number"]
        receipt = {"receipt.txt": f"receipt of {number}".encode()} if number % 10 == 0 else {}
        item.output({"number": number, "of": item.id}, files=receipt)
    print(f"released {item.id}", flush=True)

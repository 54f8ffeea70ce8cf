"""The native courier without a block: an item's release and the claim of the next one are one call.

What is printed when the loop has come round, the server has promised.
"""

from controlroom_robot import items

released = None
for item in items():
    if released is not None:
        print(f"released {released}", flush=True)
    number = item.payload["number"]
    receipt = {"receipt.txt": f"receipt of {number}".encode()} if number % 10 == 0 else {}
    item.output({"number": number, "of": item.id}, files=receipt)
    released = item.id
if released is not None:
    print(f"released {released}", flush=True)

"""The courier's work by the vendor's library, which has the room's own adapter from its worker: the same, line by line.

Each line is printed after the library's call has returned, so that whoever finds the line in the console knows what the
server has promised.
"""

from pathlib import Path

from robocorp import workitems

for item in workitems.inputs:
    number = item.payload["number"]
    output = workitems.outputs.create({"number": number, "of": item.id})
    print(f"output {output.id} of {item.id}", flush=True)
    if number % 10 == 0:
        receipt = Path("receipt.txt")
        receipt.write_bytes(f"receipt of {number}".encode())
        output.add_file(receipt)
        output.save()
        print(f"file {output.id} receipt.txt", flush=True)
    item.done()
    print(f"released {item.id}", flush=True)

assert type(item._adapter).__module__ == "controlroom_workitems", item._adapter

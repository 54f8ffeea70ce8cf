// All rows of a page are ticked by one box: what is a link without script. It says when some are, and outlives a swap of its list.
const boxesOf = all_ => all("tbody .tick-cell input[type=checkbox]", all_.closest("table"))
function drawTicks() {
  for (const link of all("a[data-tick-all]")) {
    const box = document.createElement("input")
    box.type = "checkbox"
    box.dataset.tickAll = ""
    box.setAttribute("aria-label", "Tick all rows of this page")
    link.replaceWith(box)
  }
  for (const box of all("input[data-tick-all]")) {
    const boxes = boxesOf(box), ticked = boxes.filter(each => each.checked).length
    box.checked = !!ticked && ticked === boxes.length
    box.indeterminate = !!ticked && !box.checked
  }
}
addEventListener("change", event => {
  if (event.target.matches?.("input[data-tick-all]")) for (const each of boxesOf(event.target)) each.checked = event.target.checked
  if (event.target.closest?.(".tick-cell")) drawTicks()
})
addEventListener("put", drawTicks)
addEventListener("pageshow", drawTicks) // a page that comes back by "back" has its ticks again
drawTicks()

// The keys. Single letters rest in fields, and where somebody has turned them off.
const PLACES_BY_KEY = { o: "", r: "/runs", i: "/items", w: "/workers", p: "/processes", s: "/schedules" }
const SHEET = [
  ["Everywhere", ["Ctrl K", "Search or jump to"], ["/", "Search this page"], ["?", "This sheet"], ["g o", "Overview"], ["g r", "Runs"], ["g i", "Work items"],
    ["g w", "Workers"], ["g p", "Processes"], ["g s", "Schedules"], [",", "Theme"], [".", "Density"], ["y", "Copy the id"], ["Esc", "Close"]],
  ["Lists", ["j k", "Next, previous row"], ["Enter", "Open"], ["o", "Open beside"], ["x", "Tick"], ["Shift X", "Tick up to here"], ["* a", "All that match"], ["[ ]", "Newer, older"],
    ["r", "Retry"], ["d", "Mark as done"], ["h", "Hold"], ["#", "Delete"]],
  ["A run", ["1–6", "Tabs"], ["s", "Stop"], ["Shift R", "Run again"]],
  ["A console", ["End G", "Follow"], ["Ctrl F", "Search the whole"], ["n N", "Next, previous match"], ["e E", "Next, previous error"], ["w", "Wrap"], ["f", "Full screen"], ["l", "Copy link to line"]],
]
let begun = "", begunAt = 0, rowAt = -1
const visible = element => element && element.offsetParent !== null && !element.disabled
const rowsOf = () => all("main table.table tbody tr, main [data-rows] > *").filter(visible)
function moveTo(index) {
  const rows = rowsOf()
  if (!rows.length) return
  rowAt = Math.max(0, Math.min(rows.length - 1, index))
  const target = rows[rowAt].querySelector("td.name a, a, input, button")
  rows[rowAt].scrollIntoView({ block: "nearest" })
  target?.focus()
}
const here_ = () => {
  const row = document.activeElement?.closest?.("tbody tr, [data-rows] > *")
  return row ? rowsOf().indexOf(row) : rowAt
}
function showKeys() {
  const dialog = document.createElement("dialog")
  dialog.className = "dialog wide"
  dialog.setAttribute("aria-labelledby", "keys-title")
  dialog.innerHTML = '<h2 id="keys-title">Keys</h2>' + SHEET.map(([head, ...keys]) => `<h3>${head}</h3><div class="keys">${keys.map(([key, said]) =>
    `<div><span>${said}</span><span>${key.split(" ").map(each => `<kbd>${each}</kbd>`).join(" ")}</span></div>`).join("")}</div>`).join("")
    + `<div class="acts at-end"><label class="tick"><input type="checkbox" role="switch" class="switch"${root.dataset.keys === "off" ? "" : " checked"}><span>Single letters</span></label><button class="btn" type="button" data-close>Close</button></div>`
  dialog.querySelector("input").onchange = event => {
    root.dataset.keys = event.target.checked ? "on" : "off"
    document.cookie = `keys=${root.dataset.keys}; path=/; max-age=34560000; samesite=strict`
  }
  dialog.addEventListener("close", () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
}
// The next of these buttons of the menu is pressed, as by hand: the server remembers it.
function nextLook(name) {
  const buttons = all(`.top button[name=${name}]`), at = buttons.findIndex(each => each.getAttribute("aria-current"))
  buttons[(at + 1) % buttons.length]?.click()
}
const PRESSED = {
  "?": showKeys,
  "/": () => document.querySelector("main [data-search] , main input[type=search]")?.focus(),
  j: () => moveTo(here_() + 1),
  k: () => moveTo(here_() - 1),
  o: () => rowsOf()[here_()]?.querySelector("[data-beside], a")?.click(),
  x: () => rowsOf()[here_()]?.querySelector("input[type=checkbox]")?.click(),
  X: () => {
    const boxes = rowsOf().map(each => each.querySelector("input[type=checkbox]")), at = here_()
    const first = boxes.findLastIndex((each, index) => index < at && each?.checked)
    for (let index = Math.max(0, first); index <= at; index++) if (boxes[index] && !boxes[index].checked) boxes[index].click()
  },
  y: () => { const id = document.querySelector("main .head [data-copy], main [data-copy]"); if (id) copyText(id.dataset.copy) },
  ",": () => nextLook("theme"),
  ".": () => nextLook("density"),
}
addEventListener("keydown", event => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); return openPalette() }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !base) return
  if (event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, dialog, [contenteditable]")) return
  if (event.key === "Escape") return document.querySelector("[data-drawer] [data-key=Esc]")?.click()
  if (root.dataset.keys === "off" || event.key.length > 1) return
  const key = event.key, first = Date.now() - begunAt < 1200 ? begun : ""
  begun = ""
  if (first === "g" && key in PLACES_BY_KEY) { event.preventDefault(); return location.assign(`${base}${PLACES_BY_KEY[key]}`) }
  if (first === "*" && key === "a") return document.querySelector("[data-key='* a']")?.click()
  if (key === "g" || key === "*") { begun = key; begunAt = Date.now(); return }
  // A button says which key is its own; in a list of rows that of the row that is read comes first
  const named = each => each.dataset.key === key || each.dataset.key === `Shift ${key}` && event.shiftKey
  const own = [...(rowsOf()[here_()] ? all("[data-key]", rowsOf()[here_()]) : []), ...all("main [data-key]")].find(each => named(each) && visible(each))
  if (own) { event.preventDefault(); return own.click() }
  if (/^[1-6]$/.test(key)) { const tab = all("main > .tabs a, main .tabs a")[key - 1]; if (tab) { event.preventDefault(); return tab.click() } }
  if (PRESSED[key]) { event.preventDefault(); PRESSED[key]() }
})
// Ids are copied whole by a click.
addEventListener("click", event => {
  const id = event.target.closest("[data-copy]")
  if (id && !id.closest("a")) copyText(id.dataset.copy)
})

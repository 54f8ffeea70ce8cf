// What stays live: a part of the page that says of which topics it wants to hear, and is asked for again by `?part=`.
const parts = () => all("[data-live]")
const tags = new Map()   // by address: the tag of the answer that is shown
const due = new Set()    // ids of parts that are to be asked for
const kept = new Set()   // ids of lists of which rows are kept back
let asking = false, waits = 0, asked = 0

// Somebody reads a list: the pointer or the focus is in it, something is ticked or opened, or its head is out of sight.
const points = matchMedia("(hover: hover)")
const isRead = part => (points.matches && part.matches(":hover")) || part.contains(document.activeElement)
  || !!part.querySelector("input:checked") || !!document.querySelector("[data-drawer]") || part.getBoundingClientRect().top < 0
const isTyped = part => all("input:not([type=checkbox], [type=radio]), textarea", part).some(each => each.value !== each.defaultValue)
  || all("select", part).some(each => each.selectedIndex !== Math.max(0, [...each.options].findIndex(one => one.defaultSelected)))

function wantParts(topics) {
  const any = topics.includes("*")
  for (const part of parts()) if (any || part.dataset.live.split(" ").some(each => topics.includes(each))) due.add(part.id)
  askSoon()
}
// A page whose form was just sent is about to be left: what it shows may be gone by then, and is not asked for
let sent = 0, underway = new AbortController()
const LEAVING = 30_000 // ms: an answer may be slow to come, and one that leaves the page where it is never comes
const isLeaving = () => Date.now() - sent < LEAVING
addEventListener("submit", event => {
  if (event.defaultPrevented || event.target.method === "dialog") return
  sent = Date.now()
  underway.abort()   // what is asked for at this moment may be answered after it is gone
  underway = new AbortController()
})
addEventListener("pageshow", () => { sent = 0 })
function askSoon() {
  const from = Math.max(asked + 1000, sent + LEAVING)
  if (due.size && !asking && !waits) waits = setTimeout(askParts, Math.max(0, from - Date.now()))
}
async function askParts() {
  if (isLeaving()) return void (waits = setTimeout(askParts, LEAVING))
  const byAddress = new Map()
  for (const part of parts()) if (due.has(part.id)) {
    const address = new URL(part.dataset.from ?? location.href, location.href)
    address.hash = ""
    byAddress.set(address.href, [...(byAddress.get(address.href) ?? []), part.id])
  }
  due.clear()
  waits = 0
  asking = true
  asked = Date.now()
  try {
    for (const [address, ids] of byAddress) await askOne(address, ids)
  } finally {
    asking = false
    askSoon()
  }
}
async function askOne(address, ids) {
  if (isLeaving()) return void ids.forEach(id => due.add(id))
  const url = new URL(address)
  url.searchParams.set("part", ids.join(","))
  const answer = await ask(url, { headers: tags.has(url.href) ? { "If-None-Match": tags.get(url.href) } : {}, signal: underway.signal })
  if (!answer) return void ids.forEach(id => due.add(id))
  if (answer.status === 401) return sessionOver()
  if (answer.status === 404 && address === location.href.split("#")[0]) return isGone()
  if (!answer.ok) return
  const drawn = document.createElement("template")
  drawn.innerHTML = answer.text
  let isWhole = true
  for (const id of ids) {
    const part = document.getElementById(id), fresh = drawn.content.getElementById(id)
    if (part && fresh) isWhole = await put(part, fresh) && isWhole
  }
  // What was put only in part must be sent again, though it does not change
  if (isWhole && answer.headers.has("etag")) tags.set(url.href, answer.headers.get("etag"))
  else tags.delete(url.href)
}

// What the page is about was deleted meanwhile: it says so, and goes on showing what was.
function isGone() {
  if (document.querySelector(".gone")) return
  const strip = document.createElement("div")
  strip.className = "note is-warn gone"
  strip.setAttribute("role", "status")
  strip.innerHTML = '<div><b>This is not there any more.</b> It was deleted, or is not yours to see now. <a class="btn small">Back</a></div>'
  strip.querySelector("a").href = (document.querySelector("a.up") ?? document.querySelector("nav.side a")).href
  document.getElementById("main").prepend(strip)
}

// The texts with a number in a part, by the nearest thing that has an id: rows may come and go between two looks.
function figures(part) {
  const found = new Map(), walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const text = walker.currentNode
    if (!/\d/.test(text.data) || text.parentElement.closest("time, svg, [data-runs-since], .id, .hidden-text")) continue
    const id = text.parentElement.closest("[id]").id
    found.set(id, [...(found.get(id) ?? []), [text.parentElement, text.data]])
  }
  return found
}
function flash(before, part) {
  if (!part) return
  for (const [id, texts] of figures(part)) {
    const old = before.get(id)
    if (old?.length === texts.length) texts.forEach(([element, text], index) => {
      if (text === old[index][1]) return
      element.classList.add("changed")
      element.addEventListener("animationend", () => element.classList.remove("changed"), { once: true })
    })
  }
}

// Put a part as it is now into the page, without moving what somebody reads; whether it is there as a whole.
async function put(part, fresh) {
  if (isTyped(part)) return false
  let more = 0
  const rows = within => all("tbody, [data-rows]", within)
  if (rows(part).length && part.dataset.live !== undefined && !part.dataset.letGo && isRead(part)) {
    const now = rows(fresh)
    if (now.length !== rows(part).length) return keep(part, 1)
    rows(part).forEach((each, index) => {
      const ids = new Set([...each.children].map(row => row.id))
      more += [...now[index].children].filter(row => !ids.has(row.id)).length
      now[index].replaceChildren(...[...each.children].map(row =>
        (row.id && now[index].querySelector(`:scope > [id="${CSS.escape(row.id)}"]`)) || row.cloneNode(true)))
    })
  }
  delete part.dataset.letGo
  const before = figures(part)
  await htmx.swap({ target: part, sourceElement: part, swap: "outerMorph", text: fresh.outerHTML })
  flash(before, document.getElementById(fresh.id))
  keep(part, more)
  if (fresh.dataset.title) document.title = fresh.dataset.title
  if (fresh.dataset.icon) document.querySelector("link[rel=icon]").href = fresh.dataset.icon
  tick()
  document.dispatchEvent(new CustomEvent("put", { detail: part.id }))
  return !more
}
function keep(part, more) {
  let button = part.previousElementSibling?.matches(".waiting") ? part.previousElementSibling : null
  if (!more) {
    kept.delete(part.id)
    button?.remove()
    return true
  }
  kept.add(part.id)
  if (!button) {
    button = document.createElement("div")
    button.className = "waiting"
    button.innerHTML = '<button class="btn small" type="button"></button>'
    button.firstChild.addEventListener("click", () => { part.dataset.letGo = "1"; due.add(part.id); askSoon() })
    part.before(button)
  }
  button.firstChild.textContent = `${more} newer ${more === 1 ? part.dataset.one ?? "row" : part.dataset.many ?? "rows"}`
  return false
}
if (parts().length) setInterval(() => {
  if (document.hidden) return
  for (const id of kept) {
    const part = document.getElementById(id)
    if (!part) kept.delete(id)
    else if (!isRead(part)) due.add(id)
  }
  for (const part of parts()) if (part.dataset.every && Date.now() - (part.askedAt ??= Date.now()) > 1000 * part.dataset.every) {
    part.askedAt = Date.now()
    due.add(part.id)
  }
  askSoon()
}, 1000)

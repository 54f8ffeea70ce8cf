// The console's script: what makes pages quicker. Every page is whole without it.
"use strict"

const root = document.documentElement
const all = (selector, within = document) => [...within.querySelectorAll(selector)]

// The zone in which the server writes times: told once, by a cookie. The first page is asked again for it.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
if (zone && root.dataset.zone === "") {
  document.cookie = `zone=${encodeURIComponent(zone)}; path=/; max-age=34560000; samesite=strict`
  if (document.body.classList.contains("frame") && document.cookie.includes("zone=")) location.reload()
}

// An answer of the server as a whole; null where none came, or not all of it: who leaves a page gives up what it asked for.
async function ask(address, { headers = {}, ...options } = {}) {
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true", ...headers }, ...options })
    return { status: answer.status, ok: answer.ok, headers: answer.headers, text: await answer.text() }
  } catch (why) { return null }
}

// Durations of what runs, and the clock, by the server's time.
const skew = document.body.dataset.now ? Date.parse(document.body.dataset.now) - Date.now() : 0
const two = number => String(number).padStart(2, "0")
function took(seconds) {
  const whole = Math.max(0, Math.round(seconds))
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`
  if (whole < 60) return `${whole} s`
  const [large, small, its, other] = whole < 3600 ? [60, 1, "m", "s"] : whole < 86400 ? [3600, 60, "h", "m"] : [86400, 3600, "d", "h"]
  const rest = Math.floor((whole % large) / small)
  const more = large === 86400 ? rest : two(rest)
  return rest ? `${Math.floor(whole / large)} ${its} ${more} ${other}` : `${Math.floor(whole / large)} ${its}`
}
function tick() {
  const now = Date.now() + skew
  for (const each of all("[data-runs-since]")) each.textContent = took((now - Date.parse(each.dataset.runsSince)) / 1000)
}
if (document.body.dataset.now) setInterval(() => document.hidden || tick(), 1000)

// Menus close on a click elsewhere, and on Escape, which gives the focus back.
addEventListener("click", event => {
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false
})
addEventListener("keydown", event => {
  if (event.key !== "Escape") return
  for (const menu of all("details.menu[open]")) {
    menu.open = false
    menu.querySelector("summary").focus()
  }
})

// A question that is a page of its own is opened as a dialog over the page.
async function openDialog(link) {
  const answer = await ask(`${link.href}${link.href.includes("?") ? "&" : "?"}part=dialog`)
  if (!answer?.ok) return location.assign(link.href)
  const dialog = document.createElement("dialog")
  dialog.className = "dialog"
  dialog.setAttribute("aria-labelledby", "dialog-title")
  dialog.innerHTML = answer.text
  dialog.addEventListener("close", () => { dialog.remove(); link.focus() })
  document.body.append(dialog)
  dialog.showModal()
}
addEventListener("click", event => {
  const link = event.target.closest("a[data-dialog]")
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault()
    openDialog(link)
  }
  const close = event.target.closest("[data-close]")
  if (close?.closest("dialog")) {
    event.preventDefault()
    close.closest("dialog").close()
  } else if (close?.closest(".toast")) close.closest(".toast").remove()
  const copies = event.target.closest("[data-copies]")
  if (copies) copyText(document.getElementById(copies.dataset.copies).textContent)
})
for (const each of all(".toast [data-close]")) each.hidden = false
for (const each of all("[data-copies]")) each.hidden = false
// A filter that is chosen is asked at once; a button is busy from press to answer.
addEventListener("submit", event => event.submitter?.setAttribute("aria-busy", "true"))
addEventListener("pageshow", () => all("[aria-busy]").forEach(each => each.removeAttribute("aria-busy")))
// Copying: over plain http from another host there is no clipboard, and a browser may refuse its own; the text is selected then.
async function copyText(text) {
  if (await navigator.clipboard?.writeText(text).then(() => true, () => false)) return toast("Copied.")
  const field = document.createElement("textarea")
  field.className = "copied"
  field.value = text
  field.setAttribute("aria-label", "Selected to be copied")
  document.body.append(field)
  field.select()
  const done = document.execCommand("copy")
  if (done) field.remove()
  else field.addEventListener("blur", () => field.remove())
  toast(done ? "Copied." : "Selected: copy it with Ctrl C.")
}
function toast(text) {
  const box = document.createElement("div")
  box.className = "toast"
  box.textContent = text
  document.querySelector("[data-toasts]")?.append(box)
  setTimeout(() => box.remove(), 4000)
}

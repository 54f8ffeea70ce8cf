// The palette (Ctrl K): places of the side bar and what the server's search finds, as one list.
let palette = null
function openPalette() {
  if (palette || document.querySelector("dialog[open]")) return
  const before = document.activeElement, dialog = palette = document.createElement("dialog")
  dialog.className = "dialog palette"
  dialog.setAttribute("aria-label", "Search or jump to")
  dialog.innerHTML = '<div class="find-field"><input class="input" type="search" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list" aria-label="Search or jump to" placeholder="Name, number, id, reference, error" maxlength="200"></div><ul class="rows hits" id="palette-list" role="listbox" aria-label="Found"></ul>'
  const [field, list] = [dialog.querySelector("input"), dialog.querySelector("ul")]
  let hits = [], waits, asked = 0
  const option = (link, hint) => {
    const item = document.createElement("li")
    item.setAttribute("role", "option")
    item.id = `option-${list.children.length}`
    item.dataset.href = link.href
    item.append(...link.cloneNode(true).childNodes)
    if (hint) item.insertAdjacentHTML("beforeend", `<small>${hint}</small>`)
    list.append(item)
  }
  const choose = index => {
    const items = [...list.children]
    items.forEach((each, at) => each.setAttribute("aria-selected", at === index))
    field.setAttribute("aria-activedescendant", items[index]?.id ?? "")
    items[index]?.scrollIntoView({ block: "nearest" })
  }
  const chosen = () => [...list.children].findIndex(each => each.getAttribute("aria-selected") === "true")
  const draw = () => {
    const words = field.value.trim().toLowerCase()
    list.replaceChildren()
    for (const link of all("nav.side li a")) if (link.textContent.toLowerCase().includes(words)) option(link, "Go to")
    for (const link of hits) option(link)
    if (words && base) {
      const link = document.createElement("a")
      link.href = `${base}/search?q=${encodeURIComponent(field.value.trim())}`
      link.innerHTML = "<span></span><small>Search further</small>"
      link.firstChild.textContent = `All that has “${field.value.trim()}”`
      option(link)
    }
    choose(0)
  }
  field.addEventListener("input", () => {
    hits = []
    draw()
    clearTimeout(waits)
    const words = field.value.trim(), mine = ++asked
    if (words && base) waits = setTimeout(async () => {
      const answer = await ask(`${base}/search?part=results&q=${encodeURIComponent(words)}`)
      if (mine !== asked || !answer?.ok) return answer?.status === 401 && sessionOver()
      const found = document.createElement("template")
      found.innerHTML = answer.text
      hits = [...found.content.querySelectorAll("a")].filter(each => each.closest("li"))
      draw()
    }, 120)
  })
  field.addEventListener("keydown", event => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], count = list.children.length
    if (step && count) { event.preventDefault(); choose((chosen() + step + count) % count) }
    if (event.key === "Escape") { event.preventDefault(); dialog.close() }
    if (event.key === "Enter") {
      event.preventDefault()
      go(list.children[chosen()], event)
    }
  })
  const go = (item, event) => {
    const href = item?.dataset.href
    if (href) event.ctrlKey || event.metaKey ? window.open(href, "_blank", "noopener") : location.assign(href)
  }
  list.addEventListener("click", event => go(event.target.closest("[role=option]"), event))
  dialog.addEventListener("click", event => event.target === dialog && dialog.close())
  dialog.addEventListener("close", () => { dialog.remove(); palette = null; before?.focus?.() })
  document.body.append(dialog)
  dialog.showModal()
  draw()
}
addEventListener("click", event => {
  const link = event.target.closest("[data-palette]")
  if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); openPalette() }
})

// The search through the past goes on by itself until a page is full, its end is there, or somebody stops it.
async function goFurther(link) {
  const list = document.querySelector("#results"), bar = link.closest(".pager"), said = bar.querySelector("[role=status]")
  const over = new AbortController()
  let next = link.href
  const stop = document.createElement("button")
  stop.className = "btn small"
  stop.type = "button"
  stop.textContent = "Stop"
  stop.onclick = () => over.abort()
  link.replaceWith(stop)
  while (next && !over.signal.aborted && all("#results li").length < 100) {
    const answer = await ask(next, { headers: { Accept: "text/html" }, signal: over.signal })
    if (answer?.status === 401) sessionOver()
    if (!answer?.ok) break
    const page = new DOMParser().parseFromString(answer.text, "text/html")
    for (const each of all("#results > li", page)) (document.querySelector("ul#results") ?? made()).append(each)
    said.textContent = page.querySelector("[data-past] [role=status]")?.textContent ?? ""
    const further = page.querySelector("[data-further]")
    link.href = next = further?.href ?? ""
  }
  if (next) stop.replaceWith(link)
  else stop.replaceWith("That was all.")
  function made() {
    const fresh = document.createElement("ul")
    fresh.className = "rows hits"
    fresh.id = "results"
    list.replaceWith(fresh)
    return fresh
  }
}
addEventListener("click", event => {
  const link = event.target.closest("[data-further]")
  if (link) { event.preventDefault(); goFurther(link) }
})
for (const link of all("[data-further]")) goFurther(link)

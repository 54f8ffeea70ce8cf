// The viewer: lines of one height, so that the place of a line is arithmetic; the page has those that can be seen, and some.
// The first ones are in the page that the server has sent. Lines that wrap have heights of their own: there a place is a share of
// all lines, and the line of that share stands at that share of the box, so that the first and the last are reached; few lines are all
// in the page, and scroll as anything does.
const HIGH = 20, MORE = 60, TALLEST = 10000000, FEW = 300
class Viewer {
  constructor(panel) {
    const { of, attempt, total, topic } = panel.dataset
    this.panel = panel
    this.lines = new Lines(of, attempt, +total)
    this.runs = "running" in panel.dataset
    this.top = 0            // in lines' pixels, which is more than the box scrolls where there are many
    this.rows = new Map()
    this.shown = null       // numbers of the lines that a level leaves; null: all
    this.found = this.levels = null
    this.now = -1
    this.fresh = 0
    this.chosen = hashed()
    this.build()
    const error = panel.dataset.error
    if (error !== undefined) this.now = +error
    this.follow(this.runs && !this.chosen && !("placed" in panel.dataset) && !this.already)
    if (this.chosen) this.show(this.chosen[0] - 1)
    else if (!this.following) this.goTo(this.lead(+this.list.dataset.first) * HIGH + (this.already?.top ?? 0))
    this.drawNow()
    if (this.runs) {
      wantTopic(topic)
      document.addEventListener("nudge", event => (event.detail.includes(topic) || event.detail.includes("*")) && this.catchUp())
      setInterval(() => this.runs && this.catchUp(), 5000)   // a nudge is a hint
      this.catchUp()
    }
    this.readLevels().then(() => {
      if (error === undefined && "failed" in panel.dataset && !this.chosen && this.levels?.errors.count) this.point(this.levels.errors.at[0])
    })
  }
  part(name) { return this.panel.querySelector(`[data-${name}]`) }
  build() {
    this.part("pages").hidden = true
    this.frame = this.part("frame")
    this.box = this.frame.firstElementChild
    this.all = this.box.firstElementChild
    this.list = this.all.firstElementChild
    // Who has scrolled up before this script had come stays there
    if (this.box.matches(".at-end") && this.box.scrollTop < -2) this.already = { top: this.box.scrollHeight - this.box.clientHeight + this.box.scrollTop }
    this.box.classList.remove("at-end")
    this.above = document.createElement("div")
    this.above.className = "log-phase"
    this.above.ariaHidden = "true"
    this.above.hidden = true
    this.frame.append(this.above)
    this.foot = document.createElement("footer")
    this.foot.className = "pager"
    this.panel.append(this.foot)
    this.readPhases()
    document.addEventListener("put", event => event.detail === "phases" && this.readPhases())
    this.panel.addEventListener("click", event => {
      const phase = event.target.closest("[data-phase]")
      if (!phase) return
      event.preventDefault()
      this.follow(false)
      this.wraps ? this.show(+phase.dataset.phase) : this.goTo(this.lead(+phase.dataset.phase) * HIGH)
    })
    let at = 0                // what the server has drawn, heads and lines, is one row after the other
    const [top] = this.list.querySelectorAll("li[id]"), drawn = [...this.list.children]
    if (top) at = this.row(+top.id.slice(1) - 1) - drawn.indexOf(top)
    drawn.forEach((row, index) => { row.head = this.head(at + index); this.rows.set(at + index, row) })
    for (const name of ["follow", "wrap", "copy-lines", "full", "bar"]) if (this.part(name)) this.part(name).hidden = false
    this.box.addEventListener("scroll", () => this.scrolled())
    this.box.addEventListener("wheel", event => this.wheeled(event), { passive: false })
    this.box.addEventListener("keydown", event => this.key(event))
    this.list.addEventListener("click", event => this.clicked(event))
    document.addEventListener("selectionchange", () => {
      const chosen = getSelection()
      if (!chosen.isCollapsed && this.list.contains(chosen.anchorNode)) this.follow(false)
    })
    new ResizeObserver(() => this.draw()).observe(this.box)
    this.part("follow").onclick = () => this.follow(!this.following)
    this.frame.children[2].onclick = () => this.follow(true)
    this.part("wrap").onclick = () => this.wrap()
    this.part("full").onclick = () => this.panel.classList.toggle("full")
    this.part("copy-lines").onclick = () => this.copy()
    const field = this.part("find")
    let waits
    field.oninput = () => { clearTimeout(waits); waits = setTimeout(() => this.find(field.value), 250) }
    field.onkeydown = event => {
      if (event.key === "Enter") { event.preventDefault(); this.next(event.shiftKey ? -1 : 1) }
      if (event.key === "Escape") { field.value = ""; this.find(""); this.box.focus() }
    }
    this.part("pattern").onclick = () => { press(this.part("pattern")); this.find(field.value) }
    this.panel.querySelector("[name=next]").onclick = () => this.next(1)
    this.panel.querySelector("[name=previous]").onclick = () => this.next(-1)
    for (const button of this.panel.querySelectorAll("[data-level]")) button.onclick = () => this.level(button.dataset.level)
    addEventListener("hashchange", () => { this.chosen = hashed(); if (this.chosen) this.show(this.chosen[0] - 1); this.draw(true) })
    addEventListener("keydown", event => {
      if ((event.ctrlKey || event.metaKey) && event.key === "f" && this.panel.matches(":hover, :focus-within") && document.activeElement !== field) {
        event.preventDefault()
        this.search()
      }
      if (event.key === "Escape") this.panel.classList.remove("full")
      if (!event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea, select, dialog")) this.letter(event)
    })
  }
  get count() { return this.shown ? this.shown.length : this.lines.total + this.heads.length + (this.lines.unfinished ? 1 : 0) }
  get isFew() { return this.wraps && this.count <= FEW }
  get tall() { return this.isFew ? this.list.offsetHeight : this.count * HIGH + (this.wraps ? this.box.clientHeight : 10) }
  get height() { return Math.min(this.tall, TALLEST) }
  // A row is a line, or the head of a phase before its first line. The number of a head's row is that of the line behind it.
  get heads() { return this.shown ? [] : this.phases.filter(each => each.first <= this.lines.total) }
  head(row) { return this.heads.find((each, index) => each.first + index === row) }
  number(row) { return this.shown ? this.shown[row] : row - this.heads.filter((each, index) => each.first + index < row).length }
  row(number) { return this.shown ? Math.max(0, this.shown.findIndex(each => each >= number)) : number + this.heads.filter(each => each.first <= number).length }
  lead(number) { return this.row(number) - this.heads.filter(each => each.first === number).length }

  // ---- scrolling: of the box one to one, or by share where there are more lines than a box can be high
  get room() { return Math.max(0, this.tall - this.box.clientHeight) }
  goTo(top) {
    if (this.isFew) this.drawNow()
    this.top = Math.max(0, Math.min(top, this.room))
    this.all.style.height = this.isFew ? "" : `${this.height}px`
    const most = this.height - this.box.clientHeight
    this.own = Math.round(this.tall > TALLEST ? this.top / this.room * most : this.top)
    this.box.scrollTop = this.own
    this.draw()
  }
  scrolled() {
    const at = this.box.scrollTop
    if (Math.abs(at - this.own) < 1.5) return
    const before = this.top
    this.top = Math.min(this.room, this.tall > TALLEST ? at / (this.height - this.box.clientHeight) * this.room : at)
    this.own = at
    if (this.top < before - 1) this.follow(false)
    else if (this.runs && this.top >= this.room - 2) this.follow(true)
    this.draw()
  }
  wheeled(event) {
    if (event.deltaY < 0) this.follow(false)
    if (this.tall <= TALLEST || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    this.goTo(this.top + event.deltaY * (event.deltaMode ? HIGH : 1))
  }
  key(event) {
    const page = this.box.clientHeight - HIGH
    const by = { ArrowDown: HIGH, ArrowUp: -HIGH, PageDown: page, PageUp: -page, " ": event.shiftKey ? -page : page }[event.key]
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (by) { if (by < 0) this.follow(false); this.goTo(this.top + by) }
    else if (event.key === "Home") { this.follow(false); this.goTo(0) }
    else if (event.key === "End") this.runs ? this.follow(true) : this.goTo(Infinity)
    else return
    event.preventDefault()
  }
  letter(event) {
    const keys = { f: () => this.part("full").click(), w: () => this.wrap(), G: () => this.runs ? this.follow(true) : this.goTo(Infinity),
      n: () => this.next(1), N: () => this.next(-1), e: () => this.nextError(1), E: () => this.nextError(-1), "/": () => this.search(), l: () => copyText(location.href) }
    if (!keys[event.key] || root.dataset.keys === "off") return
    event.preventDefault()
    event.stopImmediatePropagation()
    keys[event.key]()
  }
  show(number) {
    this.follow(false)
    const row = this.row(number)
    if (this.isFew) {
      this.drawNow()
      this.goTo((this.rows.get(row)?.offsetTop ?? 0) - this.box.clientHeight / 3)
    } else if (this.wraps) this.goTo((row + (row * 2 > this.count ? 1 : 0)) * HIGH)
    else this.goTo(row * HIGH - this.box.clientHeight / 3)
  }
  // Which row is on top, about
  get first() { return Math.floor(this.wraps && !this.isFew ? this.share * this.count : this.top / HIGH) }
  get share() { return this.room ? this.top / this.room : 0 }
  point(number) { this.now = number; this.show(number) }
  follow(on) {
    this.following = on
    const button = this.part("follow")
    button.setAttribute("aria-pressed", on)
    button.disabled = !this.runs
    if (on) { this.fresh = 0; this.goTo(Infinity) }
    this.sayNew()
  }
  sayNew() {
    const button = this.frame.children[2]
    button.hidden = !this.fresh || this.following
    button.textContent = `${this.fresh.toLocaleString("en")} new line${this.fresh === 1 ? "" : "s"}`
  }

  // ---- drawing
  draw(anew = false) {
    this.anew ||= anew
    if (!this.waits) this.waits = requestAnimationFrame(() => { this.waits = 0; this.drawNow() })
  }
  clear() { this.rows.clear(); this.list.replaceChildren() }
  drawNow() {
    const { clientHeight } = this.box, { isFew, count } = this
    const at = this.wraps ? this.share * count : this.top / HIGH, seen = clientHeight / HIGH
    const from = isFew ? 0 : Math.max(0, Math.floor(at - (this.wraps ? seen : 0)) - MORE), to = isFew ? count : Math.min(count, Math.ceil(at + seen) + MORE)
    this.all.style.height = isFew ? "" : `${this.height}px`
    this.list.style.setProperty("--digits", Math.max(3, String(this.lines.total).length))
    for (const [row, element] of this.rows) if (row < from || row >= to) { element.remove(); this.rows.delete(row) }
    let before = null
    for (let row = to - 1; row >= from; row--) {
      const number = this.number(row), head = this.head(row), text = number === this.lines.total ? this.lines.unfinished : this.lines.at(number)
      let element = this.rows.get(row)
      if (!element || element.head !== head || (!head && text !== undefined && element.text !== text)) {
        const made = head ? this.headed(head) : this.line(number, text)
        element ? element.replaceWith(made) : this.list.insertBefore(made, before)
        this.rows.set(row, element = made)
      } else if (this.anew && !head) this.dress(element, number)
      before = element
    }
    this.anew = false
    let offset = isFew ? 0 : this.box.scrollTop + from * HIGH - this.top
    if (this.wraps && !isFew && to > from) {   // the point of this share of all lines, at this share of the box
      const row = Math.min(count - 1, Math.floor(at)), element = this.rows.get(row)
      offset = this.box.scrollTop + this.share * clientHeight - element.offsetTop - (at - row) * element.offsetHeight
    }
    this.list.style.transform = `translateY(${Math.round(offset)}px)`
    this.mark()
    this.say()
    this.phase()
    if (to > from && !this.shown) this.lines.want(this.number(from), Math.min(this.number(to - 1) + 1, this.lines.total)).then(came => came && this.draw())
    else if (to > from) this.wantShown(from, to)
  }
  // The phases, each with its first line; that of the line on top is marked, and stands above the lines while its head is out of sight
  readPhases() {
    const was = JSON.stringify(this.phases?.map(each => [each.first, each.link.innerHTML]))
    this.phases = [...this.panel.querySelectorAll("[data-phase]")].map(link => ({ first: +link.dataset.phase, link }))
    if (was === undefined || was === JSON.stringify(this.phases.map(each => [each.first, each.link.innerHTML]))) return
    this.clear()
    this.drawNow()
  }
  phase() {
    const number = this.number(this.first) ?? 0, its = this.phases.findLast(each => each.first <= number)
    for (const each of this.phases) each.link.ariaCurrent = each === its ? "true" : null
    this.above.hidden = !its || this.shown || this.isFew || this.first <= this.row(its.first) - 1
    if (!this.above.hidden) this.above.replaceChildren(...its.link.cloneNode(true).childNodes)
  }
  headed(head) {
    const row = document.createElement("li")
    row.className = "phase"
    row.head = head
    row.append(...head.link.cloneNode(true).childNodes)
    return row
  }
  async wantShown(from, to) {
    const missing = this.shown.slice(from, to).filter(number => this.lines.at(number) === undefined)
    if (missing.length && await this.lines.want(missing[0], missing[0] + 1)) this.draw()
  }
  line(number, text) {
    const row = document.createElement("li"), link = document.createElement("a")
    row.text = text
    row.id = `L${number + 1}`
    link.href = `#L${number + 1}`
    link.tabIndex = -1
    link.textContent = number < this.lines.total ? number + 1 : "…"
    const time = this.lines.time(number)
    if (time) link.title = new Date(time * 1000).toLocaleString("en-GB", { timeZone: root.dataset.zone || "UTC" })
    row.append(link, text === undefined ? document.createElement("span") : drawn(text))
    return this.dress(row, number)
  }
  dress(row, number) {
    const [first, to] = this.chosen ?? []
    row.className = [this.isError?.has(number) ? "is-error" : this.isWarning?.has(number) ? "is-warning" : "", number === this.now ? "is-now" : "",
      first <= number + 1 && number + 1 <= to ? "is-chosen" : "", this.shown && this.context?.has(number) ? "is-beside" : ""].filter(Boolean).join(" ")
    return row
  }
  say() {
    const { total } = this.lines
    this.foot.textContent = `${total.toLocaleString("en")} line${total === 1 ? "" : "s"}` + (this.shown ? ` · ${this.kept.toLocaleString("en")} of them shown, each with three around it` : "")
      + (this.runs ? this.following ? " · follows" : " · runs" : "")
  }

  // ---- what is printed meanwhile
  catchUp() {
    this.lines.catchUp(more => {
      const was = this.runs
      this.runs = this.lines.live
      if (!this.following) this.fresh += more
      if (this.following) this.goTo(Infinity)
      else this.draw()
      this.sayNew()
      this.told = (this.told ?? 0) + more
      if (more && !this.tells) this.tells = setTimeout(() => {
        this.frame.children[3].textContent = `${this.told} new lines`
        this.told = this.tells = 0
      }, 5000)
      if (was && !this.runs) { this.part("follow").disabled = true; this.following = false; this.readLevels() }
    })
  }

  // ---- search and levels
  search() { this.follow(false); this.part("find").focus(); this.part("find").select() }
  async find(text) {
    this.asked?.abort()   // what was sought before is not looked for to the end
    const asked = this.asked = new AbortController()
    const pattern = this.part("pattern").getAttribute("aria-pressed") === "true"
    this.sought = this.found = null
    this.part("found").textContent = ""
    if (text) {
      this.follow(false)
      this.part("found").textContent = "…"
      const found = await this.lines.json("find", { q: text, ...(pattern && { pattern: 1 }) }, asked.signal).catch(why => why)
      if (this.asked !== asked) return
      if (found instanceof Error) this.part("found").textContent = found.message === "wrong" ? "no pattern" : "not answered"
      else {
        this.found = found
        this.sought = made(pattern ? text : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
        this.now = -1
        this.next(1, this.number(this.first) - 1)
      }
    }
    this.tick()
    this.draw(true)
  }
  next(by, from = this.now) {
    if (!this.found) return
    const { at, count } = this.found
    if (at.length) {
      let index = by > 0 ? at.findIndex(each => each > from) : at.findLastIndex(each => each < from)
      if (index < 0) index = by > 0 ? 0 : at.length - 1
      this.point(at[index])
      this.part("found").textContent = `${index + 1} of ${count.toLocaleString("en")}`
      this.draw(true)
    } else this.part("found").textContent = `none in ${this.found.lines.toLocaleString("en")} lines`
  }
  nextError(by) {
    const at = this.levels?.errors.at ?? []
    const from = this.now >= 0 ? this.now : this.number(this.first)
    const number = by > 0 ? at.find(each => each > from) ?? at[0] : at.findLast(each => each < from) ?? at.at(-1)
    if (number !== undefined) { this.point(number); this.draw(true) }
  }
  async readLevels() {
    this.levels = await this.lines.json("find", {}).catch(() => null)
    if (!this.levels) return
    this.isError = new Set(this.levels.errors.at)
    this.isWarning = new Set(this.levels.warnings.at)
    for (const name of ["errors", "warnings"]) this.panel.querySelector(`[data-level=${name}] [data-count]`).textContent = this.levels[name].count ? this.levels[name].count.toLocaleString("en") : ""
    this.tick()
    this.draw(true)
  }
  // A level leaves its lines and three around each; the foot says that it does.
  async level(name) {
    for (const button of this.panel.querySelectorAll("[data-level]")) button.setAttribute("aria-pressed", button.dataset.level === name)
    if (name) await this.readLevels()
    this.follow(false)
    if (name && this.levels) {
      const at = this.levels[name].at, all = new Set()
      for (const number of at) for (let near = Math.max(0, number - 3); near <= Math.min(this.lines.total - 1, number + 3); near++) all.add(near)
      this.shown = [...all].sort((one, other) => one - other)
      this.context = new Set(this.shown.filter(number => !(name === "errors" ? this.isError : this.isWarning).has(number)))
      this.kept = this.levels[name].count
    } else this.shown = this.context = null
    this.clear()
    this.goTo(0)
  }
  mark() {
    if (!CSS.highlights) return
    const found = new Highlight(), now = new Highlight()
    if (this.sought) for (const [row, element] of this.rows) if (!element.head) {
      const walker = document.createTreeWalker(element.lastChild, NodeFilter.SHOW_TEXT), nodes = []
      for (let node = walker.nextNode(), at = 0; node; at += node.length, node = walker.nextNode()) nodes.push([at, node])
      for (const match of element.lastChild.textContent.matchAll(this.sought)) {
        if (!match[0]) continue
        const range = new Range(), place = offset => nodes.findLast(([at]) => at <= offset)
        const [first, last] = [place(match.index), place(match.index + match[0].length - 1)]
        range.setStart(first[1], match.index - first[0])
        range.setEnd(last[1], match.index + match[0].length - last[0])
        ;(this.number(row) === this.now ? now : found).add(range)
      }
    }
    CSS.highlights.set("found", found)
    CSS.highlights.set("found-now", now)
  }
  tick() {
    const places = (numbers, name) => [...new Set((numbers ?? []).map(each => Math.floor(each / Math.max(1, this.lines.total) * 300)))]
      .map(each => `<rect class="${name}" width="8" height="2" y="${each / 3}%"/>`).join("")
    this.frame.children[1].innerHTML = this.found ? places(this.found.at, "fill-warn") : places(this.levels?.errors.at, "fill-bad")
  }

  // ---- wrapping, lines that are chosen, copying
  wrap() {
    const { first, following } = this
    press(this.part("wrap"))
    this.wraps = this.box.classList.toggle("wraps")
    following ? this.goTo(Infinity) : this.show(this.now >= 0 ? this.now : this.number(first) ?? 0)
  }
  clicked(event) {
    const link = event.target.closest("li > a")
    if (!link) return
    event.preventDefault()
    const number = +link.textContent
    if (!number) return
    const first = event.shiftKey && this.chosen ? this.chosen[0] : number
    this.chosen = [Math.min(first, number), Math.max(first, number)]
    history.replaceState(null, "", `#L${this.chosen[0]}${this.chosen[1] > this.chosen[0] ? `-${this.chosen[1]}` : ""}`)
    this.follow(false)
    this.draw(true)
  }
  // Without numbers or times: what is selected, the lines that are chosen, or all; from the server what is not here.
  async copy() {
    const selected = String(getSelection())
    if (selected && this.list.contains(getSelection().anchorNode)) return copyText(selected)
    const [from, to] = this.chosen ?? [1, this.lines.total]
    const answer = await ask(this.lines.url("raw", { from, to }))
    if (answer?.status === 401) return sessionOver()
    if (!answer?.ok) return toast("Not copied: the server did not answer.")
    copyText(answer.text.split("\n").map(plain).join("\n"))
  }
}
const press = button => button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true")
const made = pattern => { try { return new RegExp(pattern, "gi") } catch (why) { return null } }
function hashed() {
  const found = /^#L(\d{1,12})(?:-(\d{1,12}))?$/.exec(location.hash)
  return found && [+found[1], +(found[2] ?? found[1])]
}
const view = () => all("[data-console]").forEach(panel => panel.viewer ??= new Viewer(panel))
// What the server has sent is painted first
requestAnimationFrame(() => setTimeout(view))
document.addEventListener("put", view)   // a console that has just begun

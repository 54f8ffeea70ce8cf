// One stream for all tabs of a workspace that can be seen: one of them leads, asks for what all want, and tells the others.
// A browser opens six connections to a host, so that a tab that cannot be seen has none. No Web Locks: they need https.
const base = document.body.dataset.base
const dot = document.querySelector("[data-dot]")
const me = Math.random().toString(36).slice(2)
const others = new Map()   // id: what that tab wants, whether it leads, when it was heard of
const wanted = new Set()   // topics that scripts want to hear of, besides those of parts
let channel = null, stream = null, streamed = new Set(), since = document.body.dataset.heard ?? "", alive = 0, joined = 0, isOver = false, isFull = false

const ownTopics = () => [...new Set([...parts().flatMap(each => each.dataset.live.split(" ")), ...wanted])].filter(Boolean)
const tell = (is, more = {}) => channel?.postMessage({ is, from: me, ...more })
const here = () => tell("here", { topics: ownTopics(), leads: !!stream, lives: !!stream && Date.now() - alive < 5000, since })
// Another script wants to hear of a topic: `nudge` events of the document carry what was heard.
function wantTopic(topic) { wanted.add(topic); joined && here(); lead() }

function heardOf(message) {
  const { is, from } = message
  if (is === "gone") { others.delete(from); if (message.since) since = message.since }
  else if (is === "here") {
    const isNew = !others.has(from)
    others.set(from, { topics: message.topics, leads: message.leads, at: Date.now() })
    if (isNew) here()
    if (message.leads && stream && from < me) hangUp()
    if (message.lives && !stream && isNew) live(message.since)
  } else if (is === "beat") live(message.since)
  else if (is === "nudge") { live(message.since); hear(message.topics) }
  else if (is === "over") sessionOver(true)
  else if (is === "full") noRoom(message.most)
  lead()
}
function hear(topics) {
  wantParts(topics)
  document.dispatchEvent(new CustomEvent("nudge", { detail: topics }))
}

// Who leads: whoever does, else the first by name of those that are there once all had time to say so.
function lead() {
  if (!joined || isOver || isFull || Date.now() - joined < 200) return
  for (const [id, each] of others) if (Date.now() - each.at > 3500) others.delete(id)
  if (!stream && ([...others.values()].some(each => each.leads) || [...others.keys()].some(id => id < me))) return
  const topics = new Set(ownTopics())
  for (const each of others.values()) each.topics.forEach(topic => topics.add(topic))
  if (!topics.size) return hangUp()
  if (!stream || [...topics].some(topic => !streamed.has(topic))) listen(topics)
}
function listen(topics) {
  hangUp()
  streamed = topics
  const opened = stream = new EventSource(`${base}/events?topics=${[...topics]}&after=${encodeURIComponent(since)}`)
  const on = (name, call) => opened.addEventListener(name, event => stream === opened && call(event))
  on("beat", event => { live(event.lastEventId); tell("beat", { since }) })
  on("nudge", event => {
    const topics = event.data.split(",")
    live(event.lastEventId)
    tell("nudge", { topics, since })
    hear(topics)
  })
  on("over", () => sessionOver())
  on("full", event => { tell("full", { most: event.data }); noRoom(event.data) })
  on("error", () => {
    if (opened.readyState !== EventSource.CLOSED) return
    hangUp()
    setTimeout(look, 2000)
  })
  here()
}
// Why it has ended: the stream itself does not say
async function look() {
  const answer = await ask(`${base}/events`)
  if (answer?.status === 401) sessionOver()
  else if (answer?.ok && isOver) {
    isOver = false
    document.querySelector(".over")?.remove()
    join()
  } else if (!isOver) lead()
}
function hangUp() {
  stream?.close()
  stream = null
}
function live(place) {
  if (place) since = place
  const first = !alive
  alive = Date.now()
  if (first && others.size) wantParts(["*"])   // what the others heard before we were there
  showLive()
}
function showLive() {
  if (!dot || !(parts().length || wanted.size)) return
  const on = !isOver && !isFull && Date.now() - alive < 10000
  if (!alive && !isFull && Date.now() - joined < 10000) return
  dot.hidden = false
  if (dot.classList.contains("on") === on && dot.classList.contains("off") !== on) return
  dot.classList.toggle("on", on)
  dot.classList.toggle("off", !on)
  const at = new Date((alive || joined) + skew).toLocaleTimeString("en-GB", { timeZone: root.dataset.zone || "UTC" })
  dot.querySelector("span").textContent = on ? "Live" : `Not live since ${at}`
}
function sessionOver(isTold = false) {
  if (isOver) return
  isOver = true
  hangUp()
  if (!isTold) tell("over")
  showLive()
  const strip = document.createElement("div")
  strip.className = "note is-warn over"
  strip.setAttribute("role", "alert")
  strip.innerHTML = '<div><b>Your session has ended.</b> What you have typed is still here. <a class="btn small" target="_blank" rel="noopener">Log in again</a></div>'
  strip.querySelector("a").href = `${base || ""}/`
  document.getElementById("main").prepend(strip)
}
// This user has as many streams open as anybody may, in other browsers: the page is as it was loaded, until it is looked at anew.
function noRoom(most) {
  if (isFull) return
  isFull = true
  hangUp()
  showLive()
  const strip = document.createElement("div")
  strip.className = "note is-warn full"
  strip.setAttribute("role", "status")
  strip.innerHTML = '<div><b>This page does not stay live.</b> <span></span> <a class="btn small">Reload</a></div>'
  strip.querySelector("span").textContent = `You have ${most} others open elsewhere. Close some, or reload to see what is new.`
  strip.querySelector("a").href = location.href.split("#")[0]
  document.getElementById("main").prepend(strip)
}

function join() {
  if (joined || !base || !dot || document.hidden) return
  joined = Date.now()
  if ("BroadcastChannel" in window) {
    channel = new BroadcastChannel(`live:${base}`)
    channel.onmessage = event => heardOf(event.data)
    here()
  }
  setTimeout(lead, 210)
}
function leave() {
  if (!joined) return
  tell("gone", { since: stream ? since : "" })
  hangUp()
  channel?.close()
  channel = null
  others.clear()
  joined = alive = 0
  isFull = false   // who looks again tries again
  document.querySelector(".full")?.remove()
}
addEventListener("visibilitychange", () => {
  if (document.hidden) return leave()
  since = ""
  join()
  if (isOver) look()
  else wantParts(["*"])
})
addEventListener("pagehide", leave)
addEventListener("pageshow", event => event.persisted && join())
// Back, after a log-out: what a browser has kept is not shown, also where it does not obey Clear-Site-Data (plain http)
addEventListener("pageshow", async event => {
  if (!event.persisted && performance.getEntriesByType("navigation")[0]?.type !== "back_forward") return
  const answer = await ask("/me", { method: "HEAD" })
  if (answer?.status === 401 && document.querySelector(".frame")) location.reload()
})
if (base && dot) {
  join()
  setInterval(() => { if (joined) { here(); lead(); showLive() } }, 1000)
}

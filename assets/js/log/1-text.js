// A line as it is shown: colours by class, what a terminal would overwrite left out, links.
"use strict"
const ESCAPE = /\x1b(?:\[([0-?]*)[ -\/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])/g
const LINK = /https?:\/\/[^\s"'<>`]+[^\s"'<>`.,;:!?)\]}]/g
const CUBE = [0, 95, 135, 175, 215, 255]

const last = line => {
  const text = line.replace(/\r+$/, "")
  return text.slice(text.lastIndexOf("\r") + 1)
}
const plain = line => last(line).replace(ESCAPE, "")

// One of 16 by name or of 256 by number; 24 bits become the nearest of 256. (As `ui/console_lines.py` does it.)
const coded = text => text === "" ? 0 : /^\d{1,9}$/.test(text) ? +text : -1
function colour(codes) {
  if (codes[0] === 5) return codes.splice(0, 2)[1]
  const [, red = 0, green = 0, blue = 0] = codes.splice(0, 4)
  const near = value => CUBE.reduce((best, each, index) => Math.abs(each - value) < Math.abs(CUBE[best] - value) ? index : best, 0)
  return 16 + 36 * near(red) + 6 * near(green) + near(blue)
}
// 256 colours have one class each of 16: the six hues by brightness, so that each is readable in both themes.
function named(number) {
  if (number < 16) return number
  if (number >= 232) return number < 244 ? 8 : 7
  const [red, green, blue] = [Math.floor((number - 16) / 36), Math.floor((number - 16) / 6) % 6, (number - 16) % 6]
  const most = Math.max(red, green, blue), half = most / 2
  if (most === 0) return 8
  return (red > half ? 1 : 0) + (green > half ? 2 : 0) + (blue > half ? 4 : 0) + (most > 3 ? 8 : 0)
}
function drawn(line) {
  const box = document.createElement("span"), text = last(line)
  let at = 0, style = {}
  const put = upto => {
    if (upto <= at) return
    const names = [style.fore !== undefined && `ansi-${named(style.fore)}`, style.back !== undefined && `ansi-on-${named(style.back)}`,
      style.bold && "ansi-bold", style.dim && "ansi-dim", style.under && "ansi-under"].filter(Boolean)
    linked(box, text.slice(at, upto), names)
    at = upto
  }
  if (!text.includes("\x1b")) {
    put(text.length)
    return box
  }
  for (const found of text.matchAll(ESCAPE)) {
    put(found.index)
    at = found.index + found[0].length
    if (found[2] !== "m") continue
    const codes = (found[1] || "0").split(/[;:]/).map(coded)
    while (codes.length) {
      const code = codes.shift()
      if (code === 0) style = {}
      else if (code === 1) style.bold = true
      else if (code === 2) style.dim = true
      else if (code === 4) style.under = true
      else if (code === 22) style.bold = style.dim = false
      else if (code === 24) style.under = false
      else if (code === 39) delete style.fore
      else if (code === 49) delete style.back
      else if (code === 38) style.fore = colour(codes)   // undefined: none
      else if (code === 48) style.back = colour(codes)
      else if ((code >= 30 && code < 38) || (code >= 90 && code < 98)) style.fore = code < 90 ? code - 30 : code - 82
      else if ((code >= 40 && code < 48) || (code >= 100 && code < 108)) style.back = code < 100 ? code - 40 : code - 92
    }
  }
  put(text.length)
  return box
}
function linked(box, text, names) {
  let at = 0
  const add = (tag, piece) => {
    if (!piece) return
    if (tag === "span" && !names.length) return box.append(piece)
    const element = document.createElement(tag)
    element.className = names.join(" ")
    element.textContent = piece
    if (tag === "a") Object.assign(element, { href: piece, rel: "noopener noreferrer", target: "_blank" })
    box.append(element)
  }
  if (text.includes("://")) for (const found of text.matchAll(LINK)) {
    add("span", text.slice(at, found.index))
    add("a", found[0])
    at = found.index + found[0].length
  }
  add("span", text.slice(at))
}

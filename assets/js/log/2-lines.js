// The lines of an attempt by number, as far as they were asked for: blocks of 500, the least used ones forgotten.
const BLOCK = 500, KEPT = 120
class Lines {
  constructor(of, attempt, total) {
    Object.assign(this, { of, attempt, total, live: false, unfinished: "", blocks: new Map(), asked: new Map(), asks: 0, catching: null })
  }
  url(what, query) {
    return `${this.of}/${what}?${new URLSearchParams({ attempt: this.attempt, ...query })}`
  }
  async json(what, query, signal) {
    const answer = await ask(this.url(what, query), { signal })
    if (answer?.status === 401) sessionOver()
    if (!answer?.ok) throw new Error(answer?.status === 400 ? "wrong" : "refused")
    return JSON.parse(answer.text)
  }
  // The text of a line; undefined while it is not here.
  at(number) { return this.blocks.get(Math.floor(number / BLOCK))?.lines[number % BLOCK] }
  time(number) {
    const times = this.blocks.get(Math.floor(number / BLOCK))?.times ?? []
    return times.reduce((best, each) => each[0] <= number % BLOCK && each[0] >= (best?.[0] ?? 0) ? each : best, undefined)?.[1]
  }
  take({ first, total, live, lines, at, unfinished }) {
    this.total = Math.max(this.total, total)
    this.live = live
    this.unfinished = unfinished
    lines.forEach((line, index) => {
      const number = first + index, key = Math.floor(number / BLOCK)
      if (!this.blocks.has(key)) this.blocks.set(key, { lines: [], times: [] })
      this.blocks.get(key).lines[number % BLOCK] = line
    })
    for (const [index, time] of at) this.blocks.get(Math.floor((first + index) / BLOCK))?.times.push([(first + index) % BLOCK, time])
    for (let key of this.blocks.keys()) if (this.blocks.size > KEPT) this.blocks.delete(key)
  }
  // Have these lines here; true when some came. Blocks that nobody looks at any more are not waited for.
  async want(from, to) {
    const missing = [], keys = []
    for (let key = Math.floor(from / BLOCK); key <= Math.floor((to - 1) / BLOCK); key++) {
      keys.push(key)
      const block = this.blocks.get(key), end = Math.min(to, this.total, (key + 1) * BLOCK)
      if (block) this.blocks.delete(key), this.blocks.set(key, block)   // used last
      // From the first that lacks among those that are looked at: an answer has fewer where lines are long
      let first = block ? Math.max(from, key * BLOCK) : key * BLOCK
      while (first < end && block?.lines[first % BLOCK] !== undefined) first++
      if (first < end && !this.asked.has(key)) missing.push([key, first])
    }
    for (const [key, stop] of this.asked) if (!keys.includes(key)) stop.abort()
    const came = await Promise.all(missing.map(async ([key, first]) => {
      const stop = new AbortController()
      this.asked.set(key, stop)
      try {
        const found = await this.json("lines", { from: first, limit: (key + 1) * BLOCK - first }, stop.signal)
        this.take(found)
        return found.lines.length > 0
      } catch (why) { return false } finally { this.asked.delete(key) }
    }))
    return came.some(Boolean)
  }
  // What was printed since: asked for from the first line that is not here, so that none stands twice and none is left out.
  catchUp(call) {
    if (this.catching) return void (this.catching.again = true)
    const state = this.catching = { again: true }
    const go = async () => {
      while (state.again) {
        state.again = false
        const before = this.total
        const found = await this.json("lines", { from: before, limit: 2000 }).catch(() => null)
        if (!found) break
        this.take(found)
        if (this.total > before + found.lines.length) {   // far behind: what lies between is asked for where it is looked at
          const last = await this.json("lines", { from: Math.max(0, this.total - 500), limit: 2000 }).catch(() => null)
          if (last) this.take(last)
        }
        call(this.total - before)
        if (found.lines.length === 2000) state.again = true
      }
    }
    go().finally(() => { this.catching = null })
  }
}

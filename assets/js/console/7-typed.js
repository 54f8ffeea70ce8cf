// One of many is typed: the server says which have the text, from the second letter on. Without script the first ones are suggested.
addEventListener("input", event => {
  const field = event.target.closest?.("input[data-suggests]"), words = field?.value.trim()
  if (!field || words.length < 2 || event.inputType === "insertReplacementText") return
  clearTimeout(field.waits)
  field.waits = setTimeout(async () => {
    const answer = await ask(`${base}/suggested/${field.dataset.suggests}?q=${encodeURIComponent(words)}`)
    if (!answer?.ok || field.value.trim() !== words) return
    const found = document.createElement("template")
    found.innerHTML = answer.text
    field.list?.replaceChildren(...all("option", found.content))
  }, 150)
})

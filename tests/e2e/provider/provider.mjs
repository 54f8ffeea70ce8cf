// A provider of identities at PORT for the client at REDIRECT: its people, and how wrong its clock is, stand in the file PEOPLE.
import { readFileSync } from "node:fs"
import Provider from "oidc-provider"

const { PORT, REDIRECT, PEOPLE } = process.env
const told = () => JSON.parse(readFileSync(PEOPLE, "utf8"))
const now = Date.now
Date.now = () => now() + 1000 * (told().clock_is_ahead ?? 0)

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [{ client_id: "the-room", client_secret: "swordfish:&=%", redirect_uris: [REDIRECT] }],
  claims: { email: ["email", "email_verified"], profile: ["given_name", "family_name", "preferred_username"] },
  pkce: { required: () => true },
  cookies: { keys: ["a key of a test"] },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...told().people[sub] }) }),
})
provider.listen(+PORT, "127.0.0.1", () => console.log("listening"))

/// The page at `/`: what people see, and buttons to be one of them. Everything that others wrote is put in as text,
/// never as HTML.
enum Page {
    static let html = """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>WeChat simulator</title>
        <style>
        :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
        body { max-width: 70rem; margin: 1.5rem auto; padding: 0 1rem; }
        h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin-top: 1.5rem; }
        form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
        input, select, button { font: inherit; padding: .25rem .5rem; }
        input[name=openid] { width: 18rem; } input[name=text] { flex: 1; min-width: 12rem; }
        table { border-collapse: collapse; width: 100%; }
        th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid #8884; }
        td { vertical-align: top; overflow-wrap: anywhere; } td:first-child { white-space: nowrap; }
        .refused td { color: #b3261e; } #state { min-height: 1.5em; }
        @media (prefers-color-scheme: dark) { .refused td { color: #f2b8b5; } }
        </style>
        <h1>WeChat simulator</h1>
        <form id="person">
          <label>Account <select name="appid"></select></label>
          <label>Person <input name="openid" placeholder="empty: somebody new" autocomplete="off"></label>
          <button value="follow">Follow</button>
          <button value="unfollow">Unfollow</button>
          <input name="text" placeholder="What they write" autocomplete="off">
          <button value="say">Say</button>
        </form>
        <p id="state" role="status"></p>
        <h2>Counters</h2><p id="summary"></p>
        <h2>What people saw, newest first</h2>
        <table><thead><tr><th>Time<th>Person<th>Kind<th>Type<th>Content<th>Window</thead>
        <tbody id="log"></tbody></table>
        <h2>Refused, newest first</h2>
        <table class="refused"><thead><tr><th>Time<th>Person<th>Type<th>Code</thead>
        <tbody id="refused"></tbody></table>
        <script>
        const form = document.getElementById("person"), state = document.getElementById("state")
        const get = async path => (await fetch("/_sim/" + path)).json()
        const time = ms => new Date(ms).toISOString().replace("T", " ").slice(0, 23)
        const said = c => c && (c.content ?? c.reason ?? JSON.stringify(c))
        function rows(id, list, cells) {
          document.getElementById(id).replaceChildren(...list.reverse().map(item => {
            const row = document.createElement("tr")
            for (const text of cells(item)) row.insertCell().textContent = text ?? ""
            return row
          }))
        }
        async function refresh() {
          try {
            const accounts = await get("accounts"), select = form.elements.appid
            if (select.options.length !== accounts.length)
              select.replaceChildren(...accounts.map(a => new Option(a.appid, a.appid)))
            rows("log", await get("log?limit=50"), d =>
              [time(d.time), d.openid, d.kind, d.type, said(d.content), d.window])
            rows("refused", await get("refused?limit=20"), r =>
              [time(r.time), r.openid, r.type, r.errcode])
            const s = await get("summary")
            document.getElementById("summary").textContent =
              `customer-service messages ${s.custom}, replies ${s.passive}, ` +
              `duplicated ${s.duplicated}, without permission ${s.sent_without_permission}, ` +
              `refused ${s.refused}, callbacks answered ${s.callbacks_answered}, ` +
              `failed ${s.callbacks_failed}`
          } catch { state.textContent = "The simulator does not answer." }
        }
        form.addEventListener("submit", async event => {
          event.preventDefault()
          const fields = form.elements, verb = event.submitter?.value ?? "say"
          const body = { appid: fields.appid.value, text: fields.text.value }
          if (fields.openid.value) body.openid = fields.openid.value
          const answer = await (await fetch("/_sim/" + verb,
            { method: "POST", body: JSON.stringify(body) })).json()
          if (answer.openid) fields.openid.value = answer.openid
          state.textContent = answer.error ??
            `${verb}: ${answer.outcome}${answer.detail ? " (" + answer.detail + ")" : ""}`
          refresh()
        })
        refresh(); setInterval(() => document.hidden || refresh(), 1000)
        </script>
        </html>

        """
}

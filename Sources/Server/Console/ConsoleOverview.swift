import BelfryCore
import BelfryDelivery
import BelfryRecords
import HTTPTypes
import Hummingbird

/// The overview: numbers of this moment, the load ahead, the newest deliveries.
extension API {
    func overviewPage(_ call: Call) async throws -> Response {
        var page = ConsolePage(call, title: "overview")
        page.values["isLive"] = true
        // Before the rows are read: what happens in between comes twice, and the script knows it again; never not at all.
        page.values["lastEvent"] = String(server.feed.newest)
        page.values["simulate"] = server.demonstration != nil
        await numbers(&page)
        page.values["chart"] = await chart(title: page.word("next48"))
        await newest(&page, call)
        return page.response("overview")
    }

    private func numbers(_ page: inout ConsolePage) async {
        let reading = await server.reading()
        func text(_ span: Duration?) -> String { SpanText.render(span?.milliseconds) }
        page.values["dueNow"] = String(reading.dueNow)
        page.values["latenessP95"] = text(reading.latenessP95)
        page.values["latenessP99"] = text(reading.latenessP99)
        page.values["oldestOverdue"] = text(reading.oldestOverdue)
        page.values["latenessTone"] = (reading.oldestOverdue ?? .zero) > .minutes(1) ? "warn" : ""
        page.values["sent"] = String(reading.sentLastMinute)
        page.values["sentLimit"] = reading.sendLimitPerMinute.map { String($0) } ?? "∞"
        page.values["hasCapacity"] = reading.sendLimitPerMinute != nil
        page.values["failed"] = String(reading.failedLastHour)
        if let overload = reading.overload {
            page.values["overload"] = overload.from.name
            page.values["overloadSince"] = TimeText.render(overload.since)
        }
        let broken = reading.circuits.filter { $0.open != nil }.map { "\($0.endpoint)" }
        if !broken.isEmpty { page.values["circuits"] = broken.joined(separator: ", ") }
        page.values["failedTone"] = reading.failedLastHour > 0 ? "bad" : ""
        // A timeline that cannot be counted shows dashes; readiness and the log say why.
        let counts = try? await server.timeline.counts()
        page.values["scheduled"] = counts.map { String($0.scheduled) } ?? "–"
        if let damaged = counts?.damaged, damaged > 0 { page.values["damaged"] = String(damaged) }
        page.values["inFlight"] = counts.map { String($0.inFlight) } ?? "–"
    }

    /// The next 48 hours in half hours.
    func chart(title: String) async -> String {
        let bucket = Duration.minutes(30)
        let step = bucket.milliseconds
        let now = server.clock.now().milliseconds
        let from = Timestamp(milliseconds: now - now % step)
        let limit = await server.reading().sendLimitPerMinute
        do {
            let counts = try await server.timeline.forecast(
                from: from,
                to: from + .hours(48),
                bucket: bucket
            )
            return LoadChart(
                from: from,
                bucket: bucket,
                counts: counts,
                capacity: limit.map { $0 * 30 }
            ).svg(title: title)
        } catch {
            return "<p class=\"empty down\">" + HTMLText.escape(error.description) + "</p>"
        }
    }

    private func newest(_ page: inout ConsolePage, _ call: Call) async {
        var query = DeliveryQuery()
        query.account = call.query("account")
        query.state = call.query("state").flatMap { DeliveryState($0) }
        let filter = [call.query("account"), call.query("state")].compactMap { $0 }
        page.values["filtered"] = !filter.isEmpty
        page.values["filter"] = filter.joined(separator: " · ")
        let rows = DeliveryRows(language: page.language)
        do {
            let found = try await server.records.deliveries.find(query, limit: 30)
            storeIsUp()
            let items = found.items.map { rows.row($0) }
            page.values["rows"] = items
            page.values["hasRows"] = !items.isEmpty
            page.values["nothingYet"] = items.isEmpty && filter.isEmpty
            page.values["nothingMatches"] = items.isEmpty && !filter.isEmpty
        } catch {
            storeIsDown(&page)
        }
    }

    func storeIsDown(_ page: inout ConsolePage) {
        page.values["down"] = true
        page.values["downSince"] = TimeText.render(outage.began(at: server.clock.now()))
        page.values["hasRows"] = false
    }

    func storeIsUp() { outage.ended() }
}

import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird

/// What comes in from outside: events of business servers, callbacks of WeChat, clicks on tracked links.
extension API {
    var events: [Route] {
        [
            Route(
                method: .post,
                path: "/v1/events",
                access: .scope(.push),
                operation: Operation(
                    id: "reportEvent",
                    summary:
                        "Reports what happened to a person; may start a flow with an api trigger.",
                    tag: "events",
                    body: .init("Event"),
                    answer: "EventResult",
                    status: 202,
                    isIdempotent: true
                )
            ) { call in try await reportEvent(call) },
            Route(
                method: .get,
                path: "/wechat/{account}/callback",
                access: .anyone,
                operation: Operation(
                    id: "verifyCallback",
                    summary: "WeChat's check of the callback address.",
                    tag: "wechat",
                    answer: "Text",
                    answerType: "text/plain"
                )
            ) { call in try await callback(call) },
            Route(
                method: .post,
                path: "/wechat/{account}/callback",
                access: .anyone,
                operation: Operation(
                    id: "receiveCallback",
                    summary:
                        "Messages and events from WeChat; their signature is the authentication.",
                    tag: "wechat",
                    body: .init("Text", type: "text/xml"),
                    answer: "Text",
                    answerType: "text/plain"
                )
            ) { call in try await callback(call) },
            Route(
                method: .get,
                path: "/l/{code}",
                access: .anyone,
                operation: Operation(
                    id: "followLink",
                    summary: "A tracked link: counts the click and sends the browser on.",
                    tag: "wechat",
                    answer: "Text",
                    status: 302,
                    answerType: "text/plain"
                )
            ) { call in try await followLink(call) },
        ]
    }

    private func reportEvent(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let account = fields.text("account", 1...PushLimits.accountBytes)
        let person = fields.text("to", 1...PushLimits.personBytes)
        let name = fields.optionalText("event", 1...TextLimits.name)
        let flow = fields.optionalText("flow", 1...TextLimits.name)
        let at = fields.time("at") ?? server.clock.now()
        var variables: [String: String] = [:]
        if let nested = fields.value("variables") {
            guard let members = nested.members, members.count <= 100 else {
                throw Problem.invalid("/variables", "must be an object of at most 100 strings")
            }
            for member in members {
                guard let text = member.value.string, text.utf8.count <= 2048 else {
                    throw Problem.invalid(
                        "/variables/\(member.name.escapedForPointer)",
                        "must be a string of at most 2048 bytes"
                    )
                }
                variables[member.name] = text
            }
        }
        if name == nil, flow == nil, fields.problems.isEmpty {
            fields.note("event", "missing", "is needed, or flow")
        }
        let isKnown = flow.map { server.accounts[account]?.versions[$0] != nil }
        if !(isKnown ?? server.isAccount(account)) { try await server.catchUp() }
        if !account.isEmpty, !server.isAccount(account) {
            fields.note("account", "unknown", "is no account of this server")
        }
        try fields.finish()
        let answer = try await server.report(
            ReportedEvent(
                recipient: Recipient(account: account, person: person),
                name: name,
                flow: flow,
                variables: variables,
                at: at
            )
        )
        return .json(
            [
                "pushes": .array(answer.pushes.map { .string($0.text) }),
                "refusal": .text(answer.refusal),
            ],
            status: .accepted
        )
    }

    private func callback(_ call: Call) async throws -> Response {
        let account = try call.parameter("account")
        let query = Self.pairs(call.request.uri.query ?? "")
        let answer = await server.callback(
            CallbackRequest(
                account: account,
                method: call.request.method.rawValue,
                query: query,
                body: call.request.method == .post ? try await call.body() : []
            )
        )
        instruments.callback(status: answer.status)
        return .bytes(
            answer.body,
            type: answer.contentType,
            status: .init(code: answer.status)
        )
    }

    /// Names and values of a query, at most 64. By bytes: these separators are never part of a letter.
    private static func pairs(_ query: String) -> [(name: String, value: String)] {
        var query = query
        return query.withUTF8 { bytes in
            bytes.split(separator: UInt8(ascii: "&")).prefix(64).map { pair in
                let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
                return (text(pair[..<equals]), text(pair[equals...].dropFirst()))
            }
        }
    }

    private static func text(_ part: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        let plain = String(decoding: part, as: UTF8.self)
        guard part.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "%") }) else {
            return plain
        }
        let spaced = plain.replacing("+", with: " ")
        return spaced.removingPercentEncoding ?? spaced
    }

    private func followLink(_ call: Call) async throws -> Response {
        let code = try call.parameter("code")
        // A code that is too long is unknown like any other.
        let found = try await server.records.links.click(code)
        guard let link = found else { throw Problem.notFound("such link") }
        server.feed.publish(
            LiveEvent(
                topic: "click",
                account: link.recipient.account,
                person: link.recipient.person,
                data: ["push": .string(link.push.text), "flow": .text(link.flow)]
            )
        )
        await server.linkFollowed(link)
        return Response(
            status: .found,
            headers: [.location: link.url, .referrerPolicy: "no-referrer"]
        )
    }
}

import Hummingbird
import NIOCore

/// Answers everything that comes over HTTP: the API, the control of the simulator, and its page.
struct SimulatorResponder: HTTPResponder {
    typealias Context = ConnectionContext

    /// The largest upload is 10 MB; a little more, so that one above the limit is told so.
    static let bodyLimit = 12 << 20

    let simulator: WeChatSimulator
    let controlFromAnywhere: Bool

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        var request = request
        let path = request.uri.path
        if path.hasPrefix("/cgi-bin/") {
            return try await answerAPI(&request, context)
        }
        guard controlFromAnywhere || context.isLoopback else {
            return Response(status: .forbidden)
        }
        if path.hasPrefix("/_sim/") {
            return try await answerControl(&request)
        }
        if path == "/" { return Self.text(Page.html, type: "text/html; charset=utf-8") }
        return Response(status: .notFound)
    }

    private func answerAPI(
        _ request: inout Request,
        _ context: ConnectionContext
    ) async throws -> Response {
        let body: ByteBuffer
        do {
            body = try await request.collectBody(upTo: Self.bodyLimit)
        } catch is NIOTooManyBytesError {
            return Response(status: .contentTooLarge)
        }
        let call = APICall(
            method: request.method.rawValue,
            path: request.uri.path,
            query: Self.query(request),
            contentType: request.headers[.contentType] ?? "",
            body: Array(body.readableBytesView),
            address: context.address
        )
        guard let fault = simulator.strike(call) else {
            let answer = simulator.answer(call)
            simulator.reportLater(call)
            return Self.response(answer)
        }
        return await respond(to: call, fault, context)
    }

    private func respond(
        to call: APICall,
        _ fault: Fault,
        _ context: ConnectionContext
    ) async -> Response {
        let accepts =
            switch fault.kind {
            case .busy, .refuse: false
            case .slow: true
            default: fault.afterAccepting
            }
        let answer = accepts ? simulator.answer(call) : nil
        if accepts { simulator.reportLater(call) }
        switch fault.kind {
        case .busy: return Self.response(simulator.refuse(.busy))
        case .refuse(let code):
            return Self.response(simulator.refuse(WeChatError(code, "refused on demand")))
        case .hang:
            await BrokenConnection.hang(context.channel, for: fault.hold)
            return Response(status: .gatewayTimeout)
        case .reset:
            await BrokenConnection.reset(context.channel)
            return Response(status: .badGateway)
        case .slow(let delay):
            await BrokenConnection.pause(delay)
            return Self.response(answer ?? .ok)
        case .html(let status):
            return Self.text(
                "<html><head><title>502 Bad Gateway</title></head>"
                    + "<body><center><h1>502 Bad Gateway</h1></center></body></html>\n",
                type: "text/html",
                status: HTTPResponse.Status(code: status)
            )
        case .status(let status):
            return Response(status: HTTPResponse.Status(code: status))
        }
    }

    static func query(_ request: Request) -> [String: String] {
        var query: [String: String] = [:]
        for (key, value) in request.uri.queryParameters { query[String(key)] = String(value) }
        return query
    }

    static func response(_ answer: APIAnswer) -> Response {
        switch answer {
        case .json(let value): json(value)
        case .file(let bytes, let format):
            Response(
                status: .ok,
                headers: [
                    .contentType: format,
                    .contentDisposition: "attachment; filename=\"media\"",
                ],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
            )
        }
    }

    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        text(value.text, type: "application/json; encoding=utf-8", status: status)
    }

    static func text(
        _ text: String,
        type: String,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        Response(
            status: status,
            headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}

extension WeChatSimulator {
    func answer(_ call: APICall) -> APIAnswer {
        let now = clock.now()
        return change { $0.answer(call, at: now) }
    }

    func refuse(_ error: WeChatError) -> APIAnswer {
        change { .json(error.answer(rid: $0.newRID())) }
    }

    /// The fault that strikes this call, if any.
    func strike(_ call: APICall) -> Fault? {
        change { world in
            if world.faults.rules.isEmpty { return nil }
            let number = call.query["access_token"].flatMap { world.number(ofToken: $0) }
            let appID = number.map { world[$0].settings.appID } ?? call.query["appid"]
            return world.faults.strike(appID: appID, path: call.path, &world.random)
        }
    }
}

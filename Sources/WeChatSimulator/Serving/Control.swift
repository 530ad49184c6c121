import Hummingbird
import NIOCore

extension SimulatorResponder {
    /// The control of the simulator: JSON under `/_sim/`, for shells and the page.
    func answerControl(_ request: inout Request) async throws -> Response {
        // A page of somewhere else in the user's browser may not play with it.
        if let origin = request.headers[.origin],
            origin != "http://" + (request.head.authority ?? "")
        {
            return Response(status: .forbidden)
        }
        let path = String(request.uri.path.dropFirst("/_sim/".count))
        let query = Self.query(request)
        do {
            if request.method == .get {
                return Self.json(try simulator.look(path, query))
            }
            let buffer: ByteBuffer
            do {
                buffer = try await request.collectBody(upTo: 1 << 20)
            } catch {
                throw ControlProblem("the body is too large, or broke off")
            }
            let bytes = Array(buffer.readableBytesView)
            guard let body = bytes.isEmpty ? .object([:]) : try? JSONValue.parse(bytes) else {
                throw ControlProblem("the body is not JSON")
            }
            return Self.json(try await simulator.control(path, body))
        } catch let problem as ControlProblem {
            return Self.json(["error": .string(problem.reason)], status: .badRequest)
        } catch let error as SimulatorError {
            let problem = ControlProblem(error)
            return Self.json(["error": .string(problem.reason)], status: .badRequest)
        }
    }
}

struct ControlProblem: Error, Sendable {
    var reason: String
    init(_ reason: String) { self.reason = reason }

    init(_ error: SimulatorError) {
        switch error {
        case .unknownAccount(let appID): reason = "no account \(appID)"
        case .unknownTicket(let ticket): reason = "no QR code has the ticket \(ticket)"
        case .clockCannotJump: reason = "this clock cannot be moved"
        }
    }
}

import ArgumentParser
import BelfryClient

/// Ends the program with a message for people and an exit code for programs (the codes of BSD's sysexits).
struct Failure: Error {
    enum Code: Int32 {
        /// EX_USAGE: an unknown option, a missing argument.
        case usage = 64
        /// EX_DATAERR: the input is wrong, or the server refused it.
        case badInput = 65
        /// EX_UNAVAILABLE: the server cannot be reached, or answers that it cannot serve now.
        case unavailable = 69
        /// EX_SOFTWARE: a fault of Belfry.
        case fault = 70
        /// EX_CANTCREAT: something cannot be created, such as a socket on a port in use.
        case cannotCreate = 73
        /// EX_IOERR: reading or writing failed.
        case ioError = 74
        /// EX_TEMPFAIL: another server holds the folder; try again later.
        case tryLater = 75
        /// EX_NOPERM: no key, or one that may not do this; a folder that this user may not read.
        case notAllowed = 77
        /// EX_CONFIG: the configuration is wrong.
        case configuration = 78

        /// For programs that read JSON.
        var name: String {
            switch self {
            case .usage: "usage"
            case .badInput: "bad_input"
            case .unavailable: "unavailable"
            case .fault: "fault"
            case .cannotCreate: "cannot_create"
            case .ioError: "io_error"
            case .tryLater: "try_later"
            case .notAllowed: "not_allowed"
            case .configuration: "configuration"
            }
        }
    }

    var code: Code
    /// What is wrong.
    var message: String
    /// What a person can do about it; empty where the message says it.
    var remedy: String
    /// The server's own code, where it refused.
    var reason: String?
    /// Each wrong member of what was sent.
    var fields: [Refusal.Field] = []

    init(_ code: Code, _ message: String, remedy: String = "") {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    init(_ error: ClientError) {
        message = error.message
        remedy = error.remedy
        switch error {
        case .badAddress: code = .badInput
        case .input: code = .ioError
        case .unreachable, .notJSON: code = .unavailable
        case .refused(let refusal):
            reason = refusal.code.isEmpty ? nil : refusal.code
            fields = refusal.fields
            code =
                switch refusal.status {
                case 401, 403: .notAllowed
                case 429, 503, 507: .unavailable
                case 500...: .fault
                default: .badInput
                }
        }
    }

    /// Prints the message and gives what ArgumentParser ends the program with.
    func exit() -> ExitCode {
        printError(remedy.isEmpty ? message : "\(message)\n\(remedy)")
        printJSON()
        return ExitCode(code.rawValue)
    }

    /// Prints one JSON object on standard output, where the program was asked for JSON.
    func printJSON() { if Self.wantsJSON { print(json.text) } }

    private var json: JSON {
        var error = [
            "code": JSON.string(reason ?? code.name), "message": .string(message),
            "remedy": .string(remedy), "exit_code": .integer(Int64(code.rawValue)),
        ]
        if !fields.isEmpty {
            error["errors"] = .array(
                fields.map {
                    .object(["pointer": .string($0.pointer), "detail": .string($0.detail)])
                }
            )
        }
        return .object(["error": .object(error)])
    }

    /// Whether the program was asked for JSON: wrong use is found before any option is known.
    private static var wantsJSON: Bool {
        CommandLine.arguments.prefix { $0 != "--" }.contains("--json")
    }
}

/// Runs a command's work; a ``Failure`` or ``ClientError`` is printed and becomes the exit code.
func reporting<Value>(_ work: () async throws -> Value) async throws -> Value {
    do {
        return try await work()
    } catch let failure as Failure {
        throw failure.exit()
    } catch let error as ClientError {
        throw Failure(error).exit()
    } catch is CancellationError {
        throw ExitCode(130)
    }
}

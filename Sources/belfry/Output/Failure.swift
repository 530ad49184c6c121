import ArgumentParser
import BelfryClient

/// Ends the program with a message for people and an exit code for programs (the codes of BSD's sysexits).
struct Failure: Error {
    enum Code: Int32 {
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
    }

    var code: Code
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: ClientError) {
        message = error.description
        switch error {
        case .badAddress: code = .badInput
        case .input: code = .ioError
        case .unreachable, .notJSON: code = .unavailable
        case .refused(let refusal):
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
        printError(message)
        return ExitCode(code.rawValue)
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

import BelfryCore
import BelfryRecords
import BelfryServer

extension Failure {
    /// Why a server did not start or ended by itself, and what to do.
    init(starting error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as StartFailure: self.init(Self.code(error.kind), error.description)
        case let error as ListenFailure:
            self.init(error.isMisconfigured ? .configuration : .cannotCreate, error.description)
        case let error as TimelineError: self.init(error)
        case let error as RecordsError: self.init(error)
        default: self.init(.fault, "the server ended: \(error)")
        }
    }

    private static func code(_ kind: StartFailure.Kind) -> Code {
        switch kind {
        case .cannotCreate: .cannotCreate
        case .misconfigured: .configuration
        case .damaged: .badInput
        }
    }

    private init(_ error: TimelineError) {
        let message = "timeline: \(error.message)"
        switch error.code {
        case .locked:
            self.init(
                .tryLater,
                message,
                remedy:
                    "One server owns a data folder. Stop the other one, or choose another folder with --data-folder."
            )
        case .corrupt:
            self.init(
                .badInput,
                message,
                remedy: "`belfry doctor FOLDER` tells what is damaged and what to do."
            )
        case .newerFormat:
            self.init(
                .badInput,
                message,
                remedy: "A newer Belfry wrote this folder: use that version or a newer one."
            )
        case .full, .io: self.init(.ioError, message)
        case .closed, .invalid: self.init(.fault, message)
        }
    }

    private init(_ error: RecordsError) {
        let message = "records: \(error.message)"
        switch error.code {
        case .corrupt:
            self.init(
                .badInput,
                message,
                remedy: "`belfry doctor FOLDER` tells what is damaged and what to do."
            )
        case .newerFormat:
            self.init(
                .badInput,
                message,
                remedy: "A newer Belfry wrote this file: use that version or a newer one."
            )
        case .readOnly: self.init(.cannotCreate, message)
        case .full, .io: self.init(.ioError, message)
        case .elsewhere:
            self.init(
                .configuration,
                message,
                remedy:
                    "Set records.url to where they are in force; where those are lost for good, `belfry records reopen` puts these in force again."
            )
        case .invalid: self.init(.configuration, message)
        case .closed, .conflict: self.init(.fault, message)
        }
    }
}

import ArgumentParser

/// The command line. Each command is a file; what it does lies in the libraries.
@main
struct Belfry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "belfry",
        abstract: "A durable, cancellable scheduler for pushes that rings on time.",
        discussion: """
            Exit codes: 0 done; 64 wrong use; 65 the input is wrong or was refused; 69 the server cannot be reached or cannot \
            serve now; 70 a fault of Belfry; 73 something cannot be created, such as a port in use; 74 reading or writing \
            failed; 75 another server holds the data folder; 77 not allowed; 78 the configuration is wrong.
            """,
        version: "0.1.0",
        subcommands: [
            Serve.self, Demo.self, PushCommand.self, TopicCommand.self, ReminderCommand.self,
            FlowCommand.self, People.self,
            AccountCommand.self, Deliveries.self, DeadLetter.self, KeyCommand.self,
            ConfigCommand.self, MigrateCommand.self, RecordsCommand.self, BackupCommand.self,
            Doctor.self,
            WeChatSimulatorCommand.self, Bench.self, SimulateDisk.self,
        ]
    )

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            tellUsage(error)
            exit(withError: error)
        }
    }

    /// Who reads JSON is told of wrong use in JSON, too; everybody else by ArgumentParser.
    private static func tellUsage(_ error: any Error) {
        guard exitCode(for: error) == .validationFailure else { return }
        let failure = Failure(.usage, message(for: error), remedy: "`belfry --help` tells how.")
        failure.printJSON()
    }
}

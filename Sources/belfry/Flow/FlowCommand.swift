import ArgumentParser

/// `belfry flow`: activation flows, as files and on the server.
struct FlowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flow",
        abstract: "Check and simulate flows offline; publish, compare and export them.",
        subcommands: [
            FlowCheckCommand.self, FlowSimulateCommand.self, FlowApply.self, FlowDiffCommand.self,
            FlowExport.self, FlowList.self,
        ]
    )
}

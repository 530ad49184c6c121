import BelfryClient

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Prints one line for people; what others wrote in it cannot begin another, nor do anything to the terminal.
func say(_ line: String) { print(TerminalText.escaped(line)) }

/// Says something on standard error, where it does not mix with what programs read.
func printError(_ text: String) {
    let shown = TerminalText.escaped(text, keepingLines: true)
    var rest = Array("belfry: \(shown)\n".utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        // Nowhere to say it: there is nothing better to do.
        if count < 0, errno != EINTR { return }
        rest = rest.dropFirst(max(0, count))
    }
}

/// Hands over what was printed so far: a pipe's reader otherwise waits for a full buffer.
func flushOutput() { fflush(nil) }

/// Whether somebody sits at standard input to answer a question.
var isInteractive: Bool { isatty(STDIN_FILENO) == 1 }

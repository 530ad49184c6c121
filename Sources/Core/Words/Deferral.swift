/// Which due pushes a claim leaves where they are: capacity is short, and they can wait.
///
/// What is left stays pending as it was: it is not lent, not settled, and costs nothing until its time comes.
package struct Deferral: Sendable, Hashable {
    /// This band and all lower ones wait.
    package var from: Priority
    /// Whatever has been due for so long does not wait any longer; above zero.
    package var longest: Duration

    package init(from: Priority, longest: Duration) {
        self.from = from
        self.longest = longest
    }

    /// By how many milliseconds a band is put off, given as its number.
    package func delay(ofBand band: Int) -> Int64 {
        band >= Int(from.rawValue) ? longest.milliseconds : 0
    }
}

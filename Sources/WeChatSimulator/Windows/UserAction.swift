/// What a person can do that may open a window for customer-service messages.
package enum UserAction: String, Sendable, Hashable, Codable, CaseIterable {
    /// Typed or sent something. The tap on an entry of a `msgmenu` message is *not* this but ``menuTap``.
    case message
    /// Tapped a custom menu entry of the kinds `click`, `scancode_push`, `scancode_waitmsg`, or an entry of a `msgmenu` message.
    case menuTap = "menu_tap"
    case follow
    /// Scanned a QR code with a scene.
    case scan
    case payment
    /// Filed a rights complaint.
    case complaint
}

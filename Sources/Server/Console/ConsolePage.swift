import BelfryCore
import HTTPTypes
import Hummingbird

/// What every page needs: language, frame, headers.
struct ConsolePage {
    let call: Call
    let language: Language
    var values: [String: Any]

    init(_ call: Call, title: String) {
        self.call = call
        language = Self.language(of: call)
        let words = Words.all(language)
        var url = "\(call.request.uri.path)?lang=\(language.other.rawValue)"
        for name in ["q", "state", "account"] {
            if let value = call.query(name) { url += "&\(name)=\(HTMLText.percentEncode(value))" }
        }
        let isSignedIn = !call.principal.id.isEmpty
        values = [
            "t": words,
            "lang": language.rawValue,
            "title": words[title] ?? title,
            "otherLang": language.other.rawValue,
            "otherLangName": language.other.name,
            "otherLangURL": url,
            "demo": call.server.demonstration != nil,
            "signedIn": isSignedIn,
            "hasSession": isSignedIn && call.principal != .local,
            "isLive": false,
            "q": call.query("q") ?? "",
            "wordsJSON": Self.scriptWords(language, words),
        ]
    }

    func word(_ key: String) -> String { Words.all(language)[key] ?? key }

    func response(_ template: String, status: HTTPResponse.Status = .ok) -> Response {
        var headers = Self.headers
        if let chosen = call.query("lang"), Language(rawValue: chosen) != nil {
            headers[.setCookie] =
                "belfry_lang=\(chosen); Path=/console; Max-Age=31536000; SameSite=Strict"
        }
        return .bytes(
            Templates.render(template, values),
            type: "text/html; charset=utf-8",
            status: status,
            headers: headers
        )
    }

    /// Nothing from elsewhere, nothing inline, no frames: what slips through escaping still does nothing.
    static let headers: HTTPFields = [
        .contentSecurityPolicy: "default-src 'none'; script-src 'self'; style-src 'self'; "
            + "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
            + "frame-ancestors 'none'",
        .referrerPolicy: "same-origin",
        .xFrameOptions: "DENY",
    ]

    private static func language(of call: Call) -> Language {
        let chosen = call.query("lang") ?? call.request.cookies["belfry_lang"]?.value
        if let chosen, let language = Language(rawValue: chosen) { return language }
        return Language(accepting: call.request.headers[.acceptLanguage])
    }

    /// What the script says by itself.
    private static func scriptWords(_ language: Language, _ words: [String: String]) -> String {
        var members = Words.states(language)
        for key in ["live_on", "live_off", "live_paused"] { members[key] = words[key] }
        return JSONValue.object(
            members.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }
        ).text
    }
}

package import BelfryCore
import Hummingbird

/// `GET /openapi.json`: OpenAPI 3.1, made from the route table, so that it cannot forget a route.
extension API {
    var document: [Route] {
        [
            Route(
                method: .get,
                path: "/openapi.json",
                access: .anyone,
                operation: Operation(
                    id: "getOpenAPI",
                    summary: "This document.",
                    tag: "health",
                    answer: "Document"
                )
            ) { call in .json(self.openAPI) }
        ]
    }

    package var openAPI: JSONValue {
        var paths: [JSONValue.Member] = []
        for route in routes {
            guard let operation = route.operation else { continue }
            let method = JSONValue.Member(
                route.method.rawValue.lowercased(),
                describe(operation, route)
            )
            if let index = paths.firstIndex(where: { $0.name == route.path }),
                case .object(let methods) = paths[index].value
            {
                paths[index].value = .object(methods + [method])
            } else {
                paths.append(.init(route.path, .object([method])))
            }
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Belfry",
                "version": .string(server.version),
                "summary": "A durable, cancellable scheduler for pushes.",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": .string(server.configuration.publicURL())]],
            "security": [["key": []]],
            "paths": .object(paths),
            "components": [
                "securitySchemes": [
                    "key": [
                        "type": "http", "scheme": "bearer",
                        "description": .string(
                            "An API key. Scopes: "
                                + Scope.allCases.map { "`\($0.rawValue)`: \($0.meaning)" }
                                .joined(separator: "; ")
                        ),
                    ]
                ],
                "schemas": .object(APISchemas.all),
                "responses": [
                    "Problem": [
                        "description": "What went wrong, as RFC 9457 tells it.",
                        "content": [
                            "application/problem+json": ["schema": APISchemas.reference("Problem")]
                        ],
                    ]
                ],
            ],
        ]
    }

    private func describe(_ operation: Operation, _ route: Route) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("operationId", .string(operation.id)),
            .init("summary", .string(operation.summary)),
            .init("tags", [.string(operation.tag)]),
        ]
        switch route.access {
        case .anyone, .page: members.append(.init("security", []))
        case .scope(let scope):
            members.append(.init("security", [["key": [.string(scope.rawValue)]]]))
        }
        let parameters =
            pathParameters(route.path) + operation.query.map(query) + headers(operation)
        if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
        if let body = operation.body {
            members.append(
                .init(
                    "requestBody",
                    [
                        "required": .bool(body.isRequired),
                        "content": content(body.type, body.schema),
                    ]
                )
            )
        }
        let answer: JSONValue = [
            "description": .string(operation.summary),
            "content": content(operation.answerType, operation.answer),
        ]
        members.append(
            .init(
                "responses",
                .object([
                    .init(String(operation.status), answer),
                    .init("default", ["$ref": "#/components/responses/Problem"]),
                ])
            )
        )
        return .object(members)
    }

    private func content(_ type: String, _ schema: String) -> JSONValue {
        .object([.init(type, ["schema": APISchemas.reference(schema)])])
    }

    private func pathParameters(_ path: String) -> [JSONValue] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { part in
            [
                "name": .string(String(part.dropFirst().dropLast())), "in": "path",
                "required": true, "schema": ["type": "string"],
            ]
        }
    }

    private func query(_ parameter: Operation.Parameter) -> JSONValue {
        [
            "name": .string(parameter.name), "in": "query",
            "description": .string(parameter.meaning),
            "schema": APISchemas.scalar(parameter.kind),
        ]
    }

    private func headers(_ operation: Operation) -> [JSONValue] {
        guard operation.isIdempotent else { return [] }
        return [
            [
                "name": "Idempotency-Key", "in": "header",
                "description":
                    "The same key and request again within 24 hours gives the same answer.",
                "schema": ["type": "string", "maxLength": 255],
            ]
        ]
    }
}

// A member behind the REST gateway: one gateway for each event loop, made on its thread.

internal import Ensemble
internal import Gateway
internal import HTTP
internal import System
internal import Znodes

extension RESTGateway: RequestHandler {}

extension Member {
    package convenience init(
        serving configuration: MemberConfiguration, log: Log
    ) throws(MemberFailure) {
        let seed: UInt64
        do throws(SystemError) {
            seed = try RandomBytes.takeUInt64()
        } catch {
            throw MemberFailure(.failure, error.description)
        }
        try self.init(configuration, log: log) { parts in
            var options = GatewayOptions(
                version: Array(Version.text.utf8), jitterSeed: seed &+ UInt64(parts.loop),
                dataBytesMax: configuration.replica.znodes.dataBytesMax)
            options.limits = configuration.gateway
            options.allowedOrigins = configuration.allowedOrigins.map { Array($0.utf8) }
            options.hostNames = configuration.hostNames.map { Array($0.utf8) }
            return RESTGateway(
                reader: parts.publication.registerReader(), options: options,
                readings: parts.readings)
        }
    }
}

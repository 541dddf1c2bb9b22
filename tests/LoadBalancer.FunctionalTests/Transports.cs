using LoadBalancer.Core.Configuration;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

internal static class Transports
{
    internal static void Require(TransportKind transport)
    {
        if (transport == TransportKind.Epoll && !OperatingSystem.IsLinux()) Assert.Ignore("epoll needs Linux");
    }
}

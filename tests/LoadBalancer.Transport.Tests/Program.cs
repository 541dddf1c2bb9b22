using System.Globalization;

namespace LoadBalancer.Transport.Tests;

/// <summary>The child process: a server that takes its own descriptors away, and gives them back, as the test's commands say.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        ExhaustedServer server;
        switch (args)
        {
            case ["echo", var transport]:
                server = new ExhaustedEcho(transport);
                break;
            case ["proxy", var transport, var destination]:
                server = new ExhaustedProxy(transport, destination);
                break;
            default:
                return 2;
        }
        Console.Out.WriteLine(server.Port);
        while (Console.In.ReadLine() is { } line)
        {
            string[] command = line.Split(' ');
            switch (command[0])
            {
                case "fill":
                    Descriptors.Fill();
                    Console.Out.WriteLine("done");
                    break;
                case "free":
                    Descriptors.Free(int.Parse(command[1], CultureInfo.InvariantCulture));
                    Console.Out.WriteLine("done");
                    break;
                default:
                    Console.Out.WriteLine(server.Execute(command[0]));
                    break;
            }
        }
        return 0;
    }
}

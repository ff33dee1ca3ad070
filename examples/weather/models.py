"""Two species in a lake."""


def bacteria_and_flagellates(t, y, args):
    """Prey and predators; growth and grazing are in proportion to the temperature."""
    warmth = args.temperature / 20
    eaten = warmth * args.grazing * y.bacteria * y.flagellates / (args.half + y.bacteria)
    growth = warmth * args.growth * y.bacteria * (1 - y.bacteria / args.capacity)
    return {
        "bacteria": growth - eaten,
        "flagellates": args.gain * eaten - args.loss * y.flagellates,
    }

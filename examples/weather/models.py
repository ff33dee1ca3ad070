def algae_and_daphnia(t, y, args):
    """Prey and predators, whose rates follow the water's temperature (Q10 = 2)."""
    faster = 2 ** ((args.temperature - 20) / 10)
    eaten = faster * args.grazing * y.algae * y.daphnia / (args.half + y.algae)
    growth = faster * args.growth * y.algae * (1 - y.algae / args.capacity)
    return {
        "algae": growth - eaten,
        "daphnia": args.gain * eaten - faster * args.loss * y.daphnia,
    }

"""One article from the command line: `python -m britannica_assets.generation "London was" [--track babylm_10m]`."""

import argparse
import sys

from britannica_assets.config import load_configuration
from britannica_assets.generation.generate import generate_articles, load_model
from britannica_assets.modeling.registry import download_champion
from britannica_assets.settings import Settings
from britannica_assets.track_models import STUDENT, registered_model


def main() -> None:
    """Prints what the track's champion student makes of the prompt."""
    settings = Settings()
    configuration = load_configuration(settings.scale)
    parser = argparse.ArgumentParser(prog="python -m britannica_assets.generation", description=main.__doc__)
    parser.add_argument("prompt")
    parser.add_argument("--track", choices=list(configuration.tracks), default=next(iter(configuration.tracks)))
    parser.add_argument("--seed", type=int, default=configuration.seed)
    arguments = parser.parse_args()
    try:
        folder, _ = download_champion(settings, registered_model(STUDENT), arguments.track)
    except LookupError as error:
        sys.exit(str(error))
    model, tokenizer = load_model(folder)
    generation = configuration.generation.model_copy(update={"prompts": [arguments.prompt]})
    try:
        print(generate_articles(model, tokenizer, generation, seed=arguments.seed)[0].text)
    except ValueError as error:
        sys.exit(str(error))


main()

"""Look at objects and documents: `same`, `difference`, `show`; none of their code is run."""
